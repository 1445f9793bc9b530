// CenterCropPad (opset 18): the middle of each axis, with zeros around it where it is too short.
#include <cstring>
#include <numeric>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/gather_axes.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// The source of each place along an axis; -1: a zero. Halves are cut off towards the start.
std::vector<std::int64_t> centered(std::int64_t length, std::int64_t wanted) {
  const std::int64_t offset = wanted < length ? (length - wanted) / 2 : -((wanted - length) / 2);
  std::vector<std::int64_t> sources(static_cast<std::size_t>(wanted));
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::int64_t from = static_cast<std::int64_t>(i) + offset;
    sources[i] = from >= 0 && from < length ? from : -1;
  }
  return sources;
}

std::unique_ptr<Kernel> make_center_crop_pad(const Node& node) {
  return make_kernel([given = node.attr_ints("axes"), all = !node.has("axes")](KernelContext& c) {
    const Tensor& x = c.input(0);
    Shape axes(static_cast<std::size_t>(x.rank()));
    std::iota(axes.begin(), axes.end(), 0);
    if (!all) axes = normalized_axes(given, x.rank());
    const auto wanted = c.input(1).to_vector<std::int64_t>();
    if (wanted.size() != axes.size())
      throw Error(Code::model, "shape " + to_string(wanted) + " does not fit the axes");
    Shape shape = x.shape();
    for (std::size_t i = 0; i < axes.size(); ++i)
      shape[static_cast<std::size_t>(axes[i])] = wanted[i];
    const Tensor probe(x.dtype(), shape);  // fails for absurd lengths before any list is made
    AxisIndices grid;
    for (std::size_t a = 0; a < shape.size(); ++a) grid.push_back(centered(x.dim(a), shape[a]));
    Tensor zero(x.dtype(), {1});
    std::memset(zero.raw_mutate(), 0, zero.bytes());
    c.set_output(0, gather_axes(x, grid, zero));
  });
}

void infer_center_crop_pad(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  Dims dims = *c.dims(0);
  std::vector<std::int64_t> axes(dims.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (c.node().has("axes")) axes = c.node().attr_ints("axes");
  const auto wanted = c.numbers(1);
  for (std::size_t i = 0; i < axes.size(); ++i)
    dims[axis_of(axes[i], dims)] = wanted ? dim_of(wanted->at(i)) : Dim{};
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_center_crop_pad(Registry& registry) {
  registry.add({.op = "CenterCropPad",
                .since = 18,
                .make = make_center_crop_pad,
                .infer = infer_center_crop_pad});
}

}  // namespace intaglio
