// AveragePool (opset 1, 7, 10, 11, 19, 22): the mean of the elements under the window. Padding
// counts with count_include_pad 1, but what ceil_mode adds behind the padding never does.
#include <algorithm>

#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/pool.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// How many taps of the window at output `at` count along an axis.
std::int64_t counted(const Window& w, std::size_t axis, std::int64_t at, bool with_padding) {
  const std::int64_t first = with_padding ? -w.begin[axis] : 0;
  const std::int64_t stop = w.input[axis] + (with_padding ? w.end[axis] : 0);
  const std::int64_t start = at * w.strides[axis] - w.begin[axis];  // of tap 0
  const auto taps_before = [&](std::int64_t place) {
    const std::int64_t away = place - start, step = w.dilations[axis];
    return std::clamp(away <= 0 ? 0 : (away - 1) / step + 1, std::int64_t{0}, w.kernel[axis]);
  };
  return std::max<std::int64_t>(taps_before(stop) - taps_before(first), 0);
}

// By output position of one channel.
std::vector<float> divisors(const Window& w, bool with_padding) {
  std::vector<float> result{1.0f};
  for (std::size_t axis = 0; axis < w.rank(); ++axis) {
    std::vector<float> wider;
    for (const float outer : result)
      for (std::int64_t at = 0; at < w.output[axis]; ++at)
        wider.push_back(outer * static_cast<float>(counted(w, axis, at, with_padding)));
    result = std::move(wider);
  }
  return result;
}

std::unique_ptr<Kernel> make_average_pool(const Node& node) {
  return make_kernel([attrs = read_window(node),
                      with_padding =
                          node.attr_int("count_include_pad", 0) != 0](KernelContext& context) {
    const Tensor x = as_float(context.input(0));
    const Window window = place_pool(attrs, x.shape());
    const Shape shape = pooled_shape(x.shape(), window);
    if (element_count(shape) == 0)
      return context.set_output(0, Tensor(context.input(0).dtype(), shape));
    static_cast<void>(Tensor(DType::f32, shape));  // absurd lengths fail before any list is made
    const std::vector<float> divisor = divisors(window, with_padding);
    const std::int64_t width = window.output.back();
    Tensor y = pool_rows<float>(x, window, 0.0f,
                                [&](const Plane<float>& plane, std::int64_t i, float* out) {
                                  sum_row(plane, i, out, width);
                                  const float* by = divisor.data() + i * width;
                                  for (std::int64_t p = 0; p < width; ++p) out[p] /= by[p];
                                });
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

}  // namespace

void register_average_pool(Registry& registry) {
  registry.add({.op = "AveragePool", .since = 1, .make = make_average_pool, .infer = rules::pool});
}

}  // namespace intaglio
