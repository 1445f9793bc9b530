// Conv on channels-last images, with what follows it fused. Filters must be constant; they are
// packed in the layout that the implementation wants, once for all shapes that want the same.
#include <fmt/format.h>

#include <atomic>

#include "lib/exec/fused_reference.h"
#include "lib/exec/onednn/door.h"
#include "lib/exec/ops/convolution.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

using namespace onednn;

// [M, C / group, kernel...] -> [group, M / group, C / group, kernel...]
Shape grouped(const Shape& filters, std::int64_t group) {
  if (group == 1) return filters;
  Shape shape{group, filters[0] / group};
  shape.insert(shape.end(), filters.begin() + 1, filters.end());
  return shape;
}

Shape minus_one(Shape values) {
  for (auto& v : values) --v;
  return values;
}

// A convolution for one shape of input.
struct Plan {
  Shape output;
  dnnl::convolution_forward::primitive_desc desc;
  dnnl::convolution_forward run;
  std::shared_ptr<const dnnl::memory> filters;
  std::string refusal;  // not empty: this shape is left to the reference
};

class OnednnConv final : public Kernel {
 public:
  OnednnConv(const Node& node, PostOps ops)
      : attrs_(read_window(node)),
        group_(node.attr_int("group", 1)),
        ops_(std::move(ops)),
        filters_(node.input(1)->constant()),
        geometry_(node.input(1)->constant().shape(), group_),
        reference_(node, ops_) {
    if (node.input(2) != nullptr) bias_ = node.input(2)->constant();
    if (bias_.defined() && bias_.shape() != Shape{filters_.dim(0)})
      throw Error(Code::model, fmt::format("a bias of shape {} does not fit {} filters",
                                           to_string(bias_.shape()), filters_.dim(0)));
  }

  bool takes_any_layout() const override { return true; }

  std::string detail() const override {
    const std::scoped_lock lock(mutex_);
    return last_;
  }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32 || x.rank() < 3) return reference_.run(context);
    const auto plan = plans_.get(x.shape(), [&] { return build(x.shape()); });
    if (!plan->refusal.empty()) return reference_.run(context);
    const Tensor image = to_channels_last(x);
    Tensor y(DType::f32, plan->output), pad;
    y.set_layout(Layout::channels_last);
    std::unordered_map<int, dnnl::memory> args = {
        {DNNL_ARG_SRC, bytes_of(plan->desc.src_desc(), image.raw())},
        {DNNL_ARG_WEIGHTS, *plan->filters},
        {DNNL_ARG_DST, bytes_of(plan->desc.dst_desc(), y.raw_mutate())},
        {DNNL_ARG_SCRATCHPAD, scratchpad(plan->desc.scratchpad_desc(), pad)}};
    if (bias_.defined()) args[DNNL_ARG_BIAS] = bytes_of(plan->desc.bias_desc(), bias_.raw());
    std::vector<Tensor> addends;
    addends.reserve(ops_.size());
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      if (ops_[i].kind != PostOp::Kind::add) continue;
      addends.push_back(checked_addend(context, ops_[i], plan->output));
      args[DNNL_ARG_ATTR_MULTIPLE_POST_OP(static_cast<int>(i)) | DNNL_ARG_SRC_1] =
          bytes_of(plan->desc.dst_desc(), addends.back().raw());
    }
    plan->run.execute(stream(), args);
    context.set_output(0, std::move(y));
  }

 private:
  static Tensor checked_addend(const KernelContext& context, const PostOp& op, const Shape& shape) {
    const Tensor& addend = context.input(op.input);
    if (addend.shape() != shape || addend.dtype() != DType::f32)
      throw Error(Code::model,
                  fmt::format("cannot add {} {} to a result of shape {}", name_of(addend.dtype()),
                              to_string(addend.shape()), to_string(shape)));
    return to_channels_last(addend);
  }

  std::shared_ptr<const Plan> build(const Shape& input) const {
    const Window window = geometry_.place(attrs_, input);
    auto plan = std::make_shared<Plan>();
    plan->output = {input[0], filters_.dim(0)};
    plan->output.insert(plan->output.end(), window.output.begin(), window.output.end());
    if (element_count(plan->output) == 0 || element_count(input) == 0) {
      plan->refusal = "empty";
      return plan;
    }
    stream();  // limits the threads that the implementation is made for
    try {
      make(window, input, *plan);
    } catch (const dnnl::error& e) {
      plan->refusal = e.what();
    }
    const std::scoped_lock lock(mutex_);
    last_ = plan->refusal.empty() ? plan->desc.impl_info_str() : "reference: " + plan->refusal;
    return plan;
  }

  void make(const Window& window, const Shape& input, Plan& plan) const {
    const auto y = describe(plan.output, Layout::channels_last);
    const Shape filters = grouped(filters_.shape(), group_);
    const auto bias =
        bias_.defined() ? describe(bias_.shape(), Layout::row_major) : dnnl::memory::desc();
    plan.desc = described<dnnl::convolution_forward>(
        attributes(ops_, y).attr, dnnl::prop_kind::forward_inference,
        dnnl::algorithm::convolution_direct, describe(input, Layout::channels_last),
        any_layout(filters), bias, y, window.strides, minus_one(window.dilations), window.begin,
        window.end);
    if (is_reference(plan.desc.impl_info_str())) {
      plan.refusal = plan.desc.impl_info_str();
      return;
    }
    plan.run = dnnl::convolution_forward(plan.desc);
    plan.filters = packed(plan.desc.weights_desc(), describe(filters, Layout::row_major));
  }

  std::shared_ptr<const dnnl::memory> packed(const dnnl::memory::desc& wanted,
                                             const dnnl::memory::desc& given) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& known : packed_)
      if (known->get_desc() == wanted) return known;
    auto from = bytes_of(given, filters_.raw());
    auto to = std::make_shared<dnnl::memory>(wanted, engine());
    dnnl::reorder(from, *to).execute(stream(), from, *to);
    packed_.push_back(to);
    return to;
  }

  WindowAttrs attrs_;
  std::int64_t group_;
  PostOps ops_;
  Tensor filters_, bias_;
  ConvolutionShape geometry_;
  FusedReference reference_;
  ShapeCache<Plan> plans_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const dnnl::memory>> packed_;
  mutable std::string last_;
};

Refusal refuse(const Node& node) {
  const Value *x = node.input(0), *w = node.input(1), *b = node.input(2);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  if (w == nullptr || !w->is_constant() || w->constant().dtype() != DType::f32)
    return "filters are not constant f32";
  if (w->constant().rank() < 3 || w->constant().rank() > 5) return "not 1 to 3 spatial axes";
  if (w->constant().size() == 0) return "no filters";
  if (b != nullptr && (!b->is_constant() || b->constant().dtype() != DType::f32))
    return "bias is not constant f32";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<OnednnConv>(node, PostOps{});
}

std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  if (!attributes(ops, {}).complete) return nullptr;
  return std::make_unique<OnednnConv>(node, ops);
}

}  // namespace

void register_onednn_conv(Registry& registry) {
  registry.add({.op = "Conv",
                .impl = "onednn",
                .priority = 10,
                .refuse = refuse,
                .make = make,
                .make_fused = make_fused});
}

}  // namespace intaglio
