// MaxPool of channels-last images of 8-bit codes: whole rows, then the channels of each window.
#include <algorithm>
#include <vector>

#include "lib/base/simd.h"
#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/ops/pool.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

template <typename T>
[[gnu::always_inline]] inline void greater(const T* x, std::int64_t n, T* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
}

// One vector of channels of every window of a row.
template <typename T, int bytes>
[[gnu::always_inline]] inline void pool_vectors(const T* row, const Window& w,
                                                std::int64_t channels, std::int64_t c, T* y) {
  using V = typename VectorOf<T, bytes>::type;
  const std::int64_t outputs = w.output[1], kernel = w.kernel[1], width = w.input[1],
                     stride = w.strides[1], dilation = w.dilations[1], begin = w.begin[1];
  for (std::int64_t ox = 0; ox < outputs; ++ox) {
    V most = V{} + std::numeric_limits<T>::lowest();
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t ix = ox * stride - begin + k * dilation;
      if (ix < 0 || ix >= width) continue;
      const V x = *reinterpret_cast<const V*>(row + ix * channels + c);
      most = x > most ? x : most;
    }
    *reinterpret_cast<V*>(y + ox * channels + c) = most;
  }
}

template <typename T>
[[gnu::always_inline]] inline void pool_row(const T* row, const Window& w, std::int64_t channels,
                                            T* y) {
  std::int64_t c = 0;
  for (; c + 64 <= channels; c += 64) pool_vectors<T, 64>(row, w, channels, c, y);
  for (; c + 16 <= channels; c += 16) pool_vectors<T, 16>(row, w, channels, c, y);
  for (; c < channels; ++c) pool_vectors<T, 1>(row, w, channels, c, y);
}

INTAGLIO_CLONES void keep_greater(const std::uint8_t* x, std::int64_t n, std::uint8_t* y) {
  greater(x, n, y);
}
INTAGLIO_CLONES void keep_greater(const std::int8_t* x, std::int64_t n, std::int8_t* y) {
  greater(x, n, y);
}
INTAGLIO_CLONES void pool_across(const std::uint8_t* row, const Window& w, std::int64_t channels,
                                 std::uint8_t* y) {
  pool_row(row, w, channels, y);
}
INTAGLIO_CLONES void pool_across(const std::int8_t* row, const Window& w, std::int64_t channels,
                                 std::int8_t* y) {
  pool_row(row, w, channels, y);
}

// First the largest codes of the rows that a row of windows covers, then of the pixels of each
// window; what lies outside of the image is not there.
template <typename T>
Tensor max_pool(const Tensor& x, const Window& w) {
  Tensor y(x.dtype(), pooled_shape(x.shape(), w));
  y.set_layout(Layout::channels_last);
  const Tensor images = to_channels_last(x);
  const T* from = images.data<T>().data();
  T* to = y.mutate<T>().data();
  const std::int64_t channels = x.dim(1), pitch = w.input[1] * channels;
  std::vector<T> down(static_cast<std::size_t>(pitch));
  for (std::int64_t n = 0; n < x.dim(0); ++n, from += element_count(w.input) * channels)
    for (std::int64_t oy = 0; oy < w.output[0]; ++oy, to += w.output[1] * channels) {
      std::ranges::fill(down, std::numeric_limits<T>::lowest());
      for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky) {
        const std::int64_t iy = oy * w.strides[0] - w.begin[0] + ky * w.dilations[0];
        if (iy >= 0 && iy < w.input[0]) keep_greater(from + iy * pitch, pitch, down.data());
      }
      pool_across(down.data(), w, channels, to);
    }
  return y;
}

Refusal refuse(const Node& node) {
  const Value* x = node.input(0);
  if (x == nullptr) return "an input is missing";
  if (x->dtype() != DType::u8 && x->dtype() != DType::s8) return "not 8-bit codes";
  if (x->rank() != 4) return "not two spatial axes";
  if (node.output(1) != nullptr) return "indices are wanted";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return make_kernel(
      [attrs = read_window(node)](KernelContext& c) {
        const Tensor& x = c.input(0);
        const Window window = place_pool(attrs, x.shape());
        c.set_output(0, visit_codes(x.dtype(), [&](auto zero) {
                       return max_pool<decltype(zero)>(x, window);
                     }));
      },
      Layouts::any);
}

}  // namespace

void register_codes_max_pool(Registry& registry) {
  registry.add(
      {.op = "MaxPool",
       .impl = "codes",  // not "vector": that is the pool of floats, which stays a candidate
       .priority = 30,
       .refuse = refuse,
       .make = make});
}

}  // namespace intaglio
