// DepthToSpace (opset 1, 11, 13; modes DCR and CRD) and SpaceToDepth (opset 1, 13): both are a
// reshape to six axes, an exchange of axes and a reshape back.
#include <fmt/format.h>

#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/strided.h"

namespace intaglio {
namespace {

void check(const Tensor& x, std::int64_t block) {
  if (x.rank() != 4)
    throw Error(Code::model, "input of shape " + to_string(x.shape()) + " is not [N,C,H,W]");
  if (block < 1 || block > 1 << 15) throw Error(Code::model, fmt::format("blocksize is {}", block));
}

Tensor depth_to_space(const Tensor& x, std::int64_t b, bool depth_first) {
  check(x, b);
  const std::int64_t n = x.dim(0), c = x.dim(1) / (b * b), h = x.dim(2), w = x.dim(3);
  if (c * b * b != x.dim(1))
    throw Error(Code::model,
                fmt::format("{} channels do not split into blocks of {}", x.dim(1), b * b));
  // x is [n, b, b, c, h, w] (DCR) or [n, c, b, b, h, w] (CRD); y is [n, c, h, b, w, b].
  const Shape s = strides_of(depth_first ? Shape{n, b, b, c, h, w} : Shape{n, c, b, b, h, w});
  const Shape order = depth_first ? Shape{s[0], s[3], s[4], s[1], s[5], s[2]}
                                  : Shape{s[0], s[1], s[4], s[2], s[5], s[3]};
  Tensor y(x.dtype(), {n, c, h, b, w, b});
  copy_strided(x, 0, order, y);
  return y.reshaped({n, c, h * b, w * b});
}

Tensor space_to_depth(const Tensor& x, std::int64_t b) {
  check(x, b);
  const std::int64_t n = x.dim(0), c = x.dim(1), h = x.dim(2) / b, w = x.dim(3) / b;
  if (h * b != x.dim(2) || w * b != x.dim(3))
    throw Error(Code::model, fmt::format("an image of {} by {} does not split into blocks of {}",
                                         x.dim(2), x.dim(3), b));
  const Shape s = strides_of(Shape{n, c, h, b, w, b});
  Tensor y(x.dtype(), {n, b, b, c, h, w});
  copy_strided(x, 0, Shape{s[0], s[3], s[5], s[1], s[2], s[4]}, y);
  return y.reshaped({n, c * b * b, h, w});
}

std::unique_ptr<Kernel> make_depth_to_space(const Node& node) {
  const std::string mode = node.attr_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    throw Error(Code::model, "mode '" + mode + "' is not defined");
  return make_kernel(
      [block = node.attr_int("blocksize"), depth_first = mode == "DCR"](KernelContext& c) {
        c.set_output(0, depth_to_space(c.input(0), block, depth_first));
      });
}

std::unique_ptr<Kernel> make_space_to_depth(const Node& node) {
  return make_kernel([block = node.attr_int("blocksize")](KernelContext& c) {
    c.set_output(0, space_to_depth(c.input(0), block));
  });
}

// to_space: blocks of channels become blocks of pixels, otherwise the other way round.
template <bool to_space>
void infer_blocks(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0) || c.dims(0)->size() != 4) return;
  c.set(0, c.dtype(0), Dims(4));
  const std::int64_t block = c.node().attr_int("blocksize");
  if (block < 1 || block > std::int64_t{1} << 30) return;
  const Dims& x = *c.dims(0);
  const auto scaled = [&](const Dim& d, bool up, std::int64_t by) {
    return up ? times(d, by) : divided(d, by);
  };
  c.set(0, c.dtype(0),
        Dims{x[0], scaled(x[1], !to_space, block * block), scaled(x[2], to_space, block),
             scaled(x[3], to_space, block)});
}

}  // namespace

void register_depth_to_space(Registry& registry) {
  registry.add({.op = "DepthToSpace", .make = make_depth_to_space, .infer = infer_blocks<true>});
  registry.add({.op = "SpaceToDepth", .make = make_space_to_depth, .infer = infer_blocks<false>});
}

}  // namespace intaglio
