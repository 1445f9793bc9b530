// MaxPool (opset 1, 8, 10, 11, 12, 22). Padding never wins: it counts as the lowest value of the
// type. Indices count elements from the start of the whole input, as if stored row-major or, with
// storage_order 1, with the two last axes exchanged.
#include <limits>

#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/pool.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

template <typename T>
constexpr T lowest() {
  if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
  return std::numeric_limits<T>::lowest();
}

template <typename T>
Tensor max_pool(const Tensor& x, const Window& window) {
  const std::int64_t width = window.output.back();
  return pool_rows<T>(x, window, lowest<T>(), [&](const Plane<T>& plane, std::int64_t i, T* out) {
    std::fill_n(out, width, lowest<T>());
    for (const std::int64_t tap : plane.taps()) {
      const T* from = plane.row(i) + tap;
      for (std::int64_t p = 0; p < width; ++p) out[p] = from[p] > out[p] ? from[p] : out[p];
    }
  });
}

// The strides with which an index within one channel counts.
Shape index_strides(const Shape& input, bool column_major) {
  Shape strides = strides_of(input);
  const std::size_t n = input.size();
  if (column_major && n > 1) {
    strides[n - 2] = 1;
    strides[n - 1] = input[n - 2];
  }
  return strides;
}

// The offset of the first largest element under a window, or -1 when the window holds padding only.
template <typename T>
std::int64_t argmax(const Window& w, const Shape& at, const Shape& strides, const T* image) {
  std::int64_t best = -1;
  Shape tap(w.rank(), 0);
  do {
    std::int64_t offset = 0;
    bool inside = true;
    for (std::size_t a = 0; a < w.rank(); ++a) {
      const std::int64_t p = at[a] * w.strides[a] + tap[a] * w.dilations[a] - w.begin[a];
      inside = inside && p >= 0 && p < w.input[a];
      offset += p * strides[a];
    }
    if (inside && (best < 0 || image[offset] > image[best])) best = offset;
  } while (next_position(tap, w.kernel));
  return best;
}

template <typename T>
Tensor max_indices(const Tensor& x, const Window& window, bool column_major) {
  Tensor indices(DType::s64, pooled_shape(x.shape(), window));
  if (indices.size() == 0) return indices;
  const Shape strides = strides_of(window.input);
  const Shape counted = index_strides(window.input, column_major);
  const std::int64_t area = element_count(window.input);
  std::int64_t* out = indices.mutate<std::int64_t>().data();
  for (std::int64_t c = 0; c < x.dim(0) * x.dim(1); ++c) {
    Shape at(window.rank(), 0);
    do {
      std::int64_t rest = argmax(window, at, strides, x.data<T>().data() + c * area);
      std::int64_t index = rest < 0 ? -1 : c * area;
      for (std::size_t a = 0; rest >= 0 && a < window.rank(); ++a) {
        index += rest / strides[a] * counted[a];
        rest %= strides[a];
      }
      *out++ = index;
    } while (next_position(at, window.output));
  }
  return indices;
}

template <typename T>
void run(KernelContext& context, const WindowAttrs& attrs, bool column_major, const Tensor& x) {
  const Window window = place_pool(attrs, x.shape());
  context.set_output(0, convert(max_pool<T>(x, window), context.input(0).dtype()));
  if (context.output_count() > 1 && context.wants(1))
    context.set_output(1, max_indices<T>(x, window, column_major));
}

std::unique_ptr<Kernel> make_max_pool(const Node& node) {
  return make_kernel([attrs = read_window(node), column_major = node.attr_int("storage_order", 0) !=
                                                                0](KernelContext& context) {
    const Tensor& x = context.input(0);
    switch (x.dtype()) {
      case DType::s8:
        return run<std::int8_t>(context, attrs, column_major, x);
      case DType::u8:
        return run<std::uint8_t>(context, attrs, column_major, x);
      case DType::f64:
        return run<double>(context, attrs, column_major, x);
      default:
        return run<float>(context, attrs, column_major, as_float(x));
    }
  });
}

}  // namespace

void register_max_pool(Registry& registry) {
  registry.add({.op = "MaxPool", .since = 1, .make = make_max_pool, .infer = rules::pool});
}

}  // namespace intaglio
