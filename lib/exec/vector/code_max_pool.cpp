// MaxPool of channels-last images of 8-bit codes: all channels of a pixel at a time.
#include <algorithm>

#include "lib/base/simd.h"
#include "lib/exec/codes.h"
#include "lib/exec/pool.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

template <typename T>
[[gnu::always_inline]] inline void greater(const T* x, std::int64_t n, T* y) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
}
INTAGLIO_CLONES void keep_greater(const std::uint8_t* x, std::int64_t n, std::uint8_t* y) {
  greater(x, n, y);
}
INTAGLIO_CLONES void keep_greater(const std::int8_t* x, std::int64_t n, std::int8_t* y) {
  greater(x, n, y);
}

// The largest codes of one window; what lies outside of the image is not there.
template <typename T>
void pool_pixel(const T* image, const Window& w, std::int64_t channels, std::int64_t oy,
                std::int64_t ox, T* y) {
  std::fill_n(y, channels, std::numeric_limits<T>::lowest());
  for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky) {
    const std::int64_t iy = oy * w.strides[0] - w.begin[0] + ky * w.dilations[0];
    if (iy < 0 || iy >= w.input[0]) continue;
    for (std::int64_t kx = 0; kx < w.kernel[1]; ++kx) {
      const std::int64_t ix = ox * w.strides[1] - w.begin[1] + kx * w.dilations[1];
      if (ix >= 0 && ix < w.input[1])
        keep_greater(image + (iy * w.input[1] + ix) * channels, channels, y);
    }
  }
}

template <typename T>
Tensor max_pool(const Tensor& x, const Window& w) {
  Tensor y(x.dtype(), pooled_shape(x.shape(), w));
  y.set_layout(Layout::channels_last);
  const Tensor images = to_channels_last(x);
  const T* from = images.data<T>().data();
  T* to = y.mutate<T>().data();
  const std::int64_t channels = x.dim(1);
  for (std::int64_t n = 0; n < x.dim(0); ++n, from += element_count(w.input) * channels)
    for (std::int64_t oy = 0; oy < w.output[0]; ++oy)
      for (std::int64_t ox = 0; ox < w.output[1]; ++ox, to += channels)
        pool_pixel(from, w, channels, oy, ox, to);
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

void register_vector_code_max_pool(Registry& registry) {
  registry.add(
      {.op = "MaxPool",
       .impl = "codes",  // not "vector": that is the pool of floats, which stays a candidate
       .priority = 30,
       .refuse = refuse,
       .make = make});
}

}  // namespace intaglio
