// Conv with one filter per channel, on channels-last images.
#include "lib/base/simd.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/ops/convolution.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/conv_node.h"
#include "lib/exec/vector/depthwise.h"

namespace intaglio {
namespace {

class DepthwiseConv final : public Kernel {
 public:
  DepthwiseConv(const Node& node, const PostOps& ops)
      : attrs_(read_window(node)),
        geometry_(node.input(1)->constant().shape(), node.attr_int("group", 1)),
        depthwise_(node.input(1)->constant(), node.input(2) ? node.input(2)->constant() : Tensor(),
                   ops),
        reference_(node, ops) {}

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32 || x.rank() != 4) return reference_.run(context);
    const Window window = geometry_.place(attrs_, x.shape());
    const Tensor images = to_channels_last(x);
    Tensor y(DType::f32, {x.dim(0), x.dim(1), window.output[0], window.output[1]});
    y.set_layout(Layout::channels_last);
    const auto addends = channels_last_addends(context, depthwise_.ops(), y.shape());
    const std::int64_t in = product(x.shape(), 1, 4), out = product(y.shape(), 1, 4);
    float* to = y.mutate<float>().data();
    for (std::int64_t n = 0; n < x.dim(0); ++n)
      depthwise_.run(images.data<float>().data() + n * in, window, addends_of(addends, n, out),
                     to + n * out);
    context.set_output(0, std::move(y));
  }

 private:
  WindowAttrs attrs_;
  ConvolutionShape geometry_;
  Depthwise depthwise_;
  FusedReference reference_;
};

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<DepthwiseConv>(node, PostOps{});
}
std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  return std::make_unique<DepthwiseConv>(node, ops);
}

}  // namespace

Refusal refuse_depthwise(const Node& node) {
  if (const Refusal why = refuse_constant_conv(node)) return why;
  const Shape& shape = node.input(1)->constant().shape();
  if (shape.size() != 4) return "not two spatial axes";
  if (shape[1] != 1 || node.attr_int("group", 1) != shape[0] || shape[0] < 2)
    return "not one filter per channel";
  if (shape[0] < vector_width) return "fewer channels than a vector has";
  return std::nullopt;
}

void register_vector_depthwise_conv(Registry& registry) {
  registry.add({.op = "Conv",
                .impl = "vector",
                .priority = 20,
                .refuse = refuse_depthwise,
                .make = make,
                .make_fused = make_fused});
}

}  // namespace intaglio
