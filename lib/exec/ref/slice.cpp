// Slice: starts, ends and axes are attributes before opset 10, inputs (with steps) since.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/strided.h"

namespace intaglio {
namespace {

struct Cut {
  std::int64_t first, step, count;
};

// Python's rules: negative positions count from the end, positions past an end are clamped to it.
Cut cut(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t length) {
  if (step == 0) throw Error(Code::model, "a step of 0");
  step = std::clamp(step, -length - 1, length + 1);  // beyond that it selects the same
  const bool backwards = step < 0;
  const auto place = [&](std::int64_t i) {
    if (i < 0) i += length;
    return backwards ? std::clamp<std::int64_t>(i, -1, length - 1)
                     : std::clamp<std::int64_t>(i, 0, length);
  };
  const std::int64_t first = place(start), distance = place(end) - first;
  const std::int64_t reach = backwards ? -distance : distance, stride = backwards ? -step : step;
  return {first, step, reach <= 0 ? 0 : (reach + stride - 1) / stride};
}

std::unique_ptr<Kernel> make_slice(const Node& node) {
  return make_kernel([starts_arg = IntsArgument(node, "starts", 1),
                      ends_arg = IntsArgument(node, "ends", 2),
                      axes_arg = IntsArgument(node, "axes", 3),
                      steps_arg = IntsArgument(node, "steps", 4)](KernelContext& c) {
    const Tensor& x = c.input(0);
    const Shape starts = starts_arg.get(c).value_or(Shape{}),
                ends = ends_arg.get(c).value_or(Shape{});
    Shape all(starts.size());
    std::iota(all.begin(), all.end(), 0);
    const auto axes = normalized_axes(axes_arg.get(c).value_or(all), x.rank());
    const Shape steps = steps_arg.get(c).value_or(Shape(starts.size(), 1));
    if (ends.size() != starts.size() || axes.size() != starts.size() ||
        steps.size() != starts.size())
      throw Error(
          Code::model,
          fmt::format("starts {}, ends {}, axes {} and steps {} differ in length",
                      to_string(starts), to_string(ends), to_string(axes), to_string(steps)));
    Shape shape = x.shape(), strides = strides_of(x.shape());
    std::int64_t first = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto d = static_cast<std::size_t>(axes[i]);
      const Cut part = cut(starts[i], ends[i], steps[i], shape[d]);
      first += part.first * strides[d];
      shape[d] = part.count;
      strides[d] *= part.step;
    }
    copy_strided(x, first, strides, c.output(0, x.dtype(), std::move(shape)));
  });
}

}  // namespace

void register_slice(Registry& registry) { registry.add({.op = "Slice", .make = make_slice}); }

}  // namespace intaglio
