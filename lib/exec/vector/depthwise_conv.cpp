// Conv with one filter per channel, on channels-last images.
#include <fmt/format.h>

#include "lib/base/simd.h"
#include "lib/exec/convolution.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
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
    std::vector<Tensor> addends;
    for (const PostOp& op : depthwise_.ops())
      if (op.kind == PostOp::Kind::add) addends.push_back(addend(context.input(op.input), y));
    const std::int64_t in = product(x.shape(), 1, 4), out = product(y.shape(), 1, 4);
    float* to = y.mutate<float>().data();
    for (std::int64_t n = 0; n < x.dim(0); ++n) {
      std::vector<const float*> rows;
      for (const Tensor& a : addends) rows.push_back(a.data<float>().data() + n * out);
      depthwise_.run(images.data<float>().data() + n * in, window, rows, to + n * out);
    }
    context.set_output(0, std::move(y));
  }

 private:
  static Tensor addend(const Tensor& given, const Tensor& y) {
    if (given.shape() != y.shape() || given.dtype() != DType::f32)
      throw Error(Code::model, fmt::format("cannot add shape {} to a result of shape {}",
                                           to_string(given.shape()), to_string(y.shape())));
    return to_channels_last(given);
  }

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
  const Value *x = node.input(0), *w = node.input(1), *b = node.input(2);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  if (w == nullptr || !w->is_constant() || w->constant().dtype() != DType::f32)
    return "filters are not constant f32";
  const Shape& shape = w->constant().shape();
  if (shape.size() != 4) return "not two spatial axes";
  if (shape[1] != 1 || node.attr_int("group", 1) != shape[0] || shape[0] < 2)
    return "not one filter per channel";
  if (shape[0] < vector_width) return "fewer channels than a vector has";
  if (b != nullptr && (!b->is_constant() || b->constant().shape() != Shape{shape[0]} ||
                       b->constant().dtype() != DType::f32))
    return "bias is not constant f32 of one value per filter";
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
