// Slice: starts, ends and axes are attributes before opset 10, inputs (with steps) since.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
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

// The length of an axis that is cut: known, or all of it.
Dim cut_dim(const Dim& d, const Number& start, const Number& end, const Number& step) {
  const bool known = start.value && end.value && step.value;
  if (d.known() && known) return dim_of(cut(*start.value, *end.value, *step.value, d.value).count);
  constexpr std::int64_t far = std::numeric_limits<std::int32_t>::max();
  const bool to_end =
      (end.value && *end.value >= far) || (!d.symbol.empty() && end.symbol == d.symbol);
  return start.is(0) && step.is(1) && to_end ? d : Dim{};
}

void infer_slice(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  Dims dims = *c.dims(0);
  c.set(0, c.dtype(0), Dims(dims.size()));
  const auto starts = c.numbers(1, "starts"), ends = c.numbers(2, "ends");
  if (!starts || !ends || starts->size() != ends->size()) return;
  Numbers all;
  for (std::size_t i = 0; i < starts->size(); ++i)
    all.push_back({static_cast<std::int64_t>(i), {}, false});
  const auto axes = c.has(3, "axes") ? c.numbers(3, "axes") : all;
  const auto steps = c.has(4, "steps") ? c.numbers(4, "steps")
                                       : std::optional(Numbers(all.size(), Number{1, {}, false}));
  if (!axes || axes->size() != all.size() || (steps && steps->size() != all.size())) return;
  for (const Number& axis : *axes)
    if (!axis.value) return;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    Dim& d = dims[axis_of(*(*axes)[i].value, dims)];
    d = cut_dim(d, (*starts)[i], (*ends)[i], steps ? (*steps)[i] : Number{});
  }
  c.set(0, c.dtype(0), dims);
  const auto numbers = c.numbers(0);
  if (!numbers || dims.size() != 1 || axes->size() != 1 || !dims[0].known() || !steps) return;
  const Cut part = cut(*starts->front().value, *ends->front().value, *steps->front().value,
                       std::ssize(*numbers));
  Numbers elements;
  for (std::int64_t i = 0; i < part.count; ++i)
    elements.push_back(numbers->at(static_cast<std::size_t>(part.first + i * part.step)));
  c.set_numbers(0, std::move(elements));
}

}  // namespace

void register_slice(Registry& registry) {
  registry.add({.op = "Slice", .make = make_slice, .infer = infer_slice});
}

}  // namespace intaglio
