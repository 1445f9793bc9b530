// Pad (opset 1, 2: attributes; 11, 13, 18, 19, 21: inputs). Negative pads crop; reflect, edge and
// wrap then work on what is left.
#include <fmt/format.h>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/gather_axes.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::int64_t modulo(std::int64_t a, std::int64_t n) { return (a % n + n) % n; }

// Which element of [0, n) a place outside of it shows; -1: the fill value.
std::int64_t source(std::int64_t at, std::int64_t n, const std::string& mode) {
  if (at >= 0 && at < n) return at;
  if (mode == "constant") return -1;
  if (mode == "edge") return at < 0 ? 0 : n - 1;
  if (mode == "wrap") return modulo(at, n);
  if (n == 1) return 0;
  const std::int64_t place = modulo(at, 2 * (n - 1));
  return place < n ? place : 2 * (n - 1) - place;
}

std::vector<std::int64_t> axis_sources(std::int64_t length, std::int64_t begin, std::int64_t end,
                                       const std::string& mode) {
  const std::int64_t first = std::max<std::int64_t>(0, -begin);
  const std::int64_t stop = length - std::max<std::int64_t>(0, -end);
  const std::int64_t total = length + begin + end;
  if (total < 0 || (stop <= first && total > 0 && mode != "constant"))
    throw Error(Code::model, fmt::format("pads {} and {} do not fit a length of {} in mode {}",
                                         begin, end, length, mode));
  std::vector<std::int64_t> result(static_cast<std::size_t>(total));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t from = source(static_cast<std::int64_t>(i) - begin - first,
                                     std::max<std::int64_t>(stop - first, 0), mode);
    result[i] = from < 0 ? -1 : from + first;
  }
  return result;
}

Tensor pad(const Tensor& x, const Shape& pads, const Shape& axes, const std::string& mode,
           const Tensor& fill) {
  if (pads.size() != 2 * axes.size())
    throw Error(Code::model, fmt::format("{} pads for {} axes", pads.size(), axes.size()));
  Shape begin(x.shape().size(), 0), end = begin;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    begin[static_cast<std::size_t>(axes[i])] = pads[i];
    end[static_cast<std::size_t>(axes[i])] = pads[axes.size() + i];
  }
  Shape padded;
  for (std::size_t a = 0; a < begin.size(); ++a) {
    constexpr std::int64_t limit = std::int64_t{1} << 40;
    if (std::abs(begin[a]) > limit || std::abs(end[a]) > limit)
      throw Error(Code::model, fmt::format("pads {} are out of range", to_string(pads)));
    padded.push_back(std::max<std::int64_t>(0, x.dim(a) + begin[a] + end[a]));
  }
  const Tensor probe(x.dtype(), padded);  // fails for absurd lengths before any list is made
  AxisIndices grid;
  for (std::size_t a = 0; a < begin.size(); ++a)
    grid.push_back(axis_sources(x.dim(a), begin[a], end[a], mode));
  return gather_axes(x, grid, fill);
}

std::unique_ptr<Kernel> make_pad(const Node& node) {
  const std::string mode = node.attr_string("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
    throw Error(Code::model, fmt::format("mode '{}' is not defined", mode));
  return make_kernel([mode, pads = IntsArgument(node, node.opset() < 2 ? "paddings" : "pads", 1),
                      value = node.attr_float("value", 0.0f)](KernelContext& context) {
    const Tensor& x = context.input(0);
    const auto amounts = pads.get(context);
    if (!amounts) throw Error(Code::model, "pads are missing");
    Shape axes;
    if (context.optional(3) != nullptr) {
      axes = normalized_axes(context.optional(3)->to_vector<std::int64_t>(), x.rank());
    } else {
      for (int a = 0; a < x.rank(); ++a) axes.push_back(a);
    }
    const Tensor* given = context.optional(2);
    if (given != nullptr && given->size() != 1)
      throw Error(Code::model, "constant_value of shape " + to_string(given->shape()));
    const Tensor fill = convert(given != nullptr ? *given : Tensor::scalar(value), x.dtype());
    context.set_output(0, pad(x, *amounts, axes, mode, fill));
  });
}

void infer_pad(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  Dims dims = *c.dims(0);
  const auto pads = c.numbers(1, c.node().opset() < 2 ? "paddings" : "pads");
  const auto axes = c.ints(3);
  const std::size_t count = axes ? axes->size() : dims.size();
  if (!pads || (c.has(3) && !axes)) {
    c.set(0, c.dtype(0), Dims(dims.size()));
    return;
  }
  if (pads->size() != 2 * count)
    throw Error(Code::model, fmt::format("{} pads for {} axes", pads->size(), count));
  for (std::size_t i = 0; i < count; ++i) {
    Dim& d = dims[axes ? axis_of((*axes)[i], dims) : i];
    const Number &begin = (*pads)[i], &end = (*pads)[count + i];
    if (begin.is(0) && end.is(0)) continue;
    constexpr std::int64_t most = std::int64_t{1} << 40;
    const auto sane = [](const Number& n) {
      return n.value && *n.value > -most && *n.value < most;
    };
    d = d.known() && sane(begin) && sane(end)
            ? dim_of(std::max<std::int64_t>(0, d.value + *begin.value + *end.value))
            : Dim{};
  }
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_pad(Registry& registry) {
  registry.add({.op = "Pad", .make = make_pad, .infer = infer_pad});
}

}  // namespace intaglio
