#include "lib/exec/fused_reference.h"

#include "lib/exec/addends.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> reference_kernel(const Node& node) {
  for (const KernelDef* def : default_registry().candidates(node))
    if (def->impl == "ref") return def->make(node);
  throw Error(Code::internal, node.op() + " has no reference kernel");
}

}  // namespace

void FusedReference::run(KernelContext& context) const {
  std::call_once(once_, [&] { kernel_ = reference_kernel(node_); });
  std::vector<Tensor> moved(context.input_count());
  std::vector<const Tensor*> inputs(context.input_count());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (const Tensor* given = context.optional(i); given != nullptr)
      inputs[i] = &(moved[i] = to_row_major(*given));
  const std::size_t own = node_.inputs().size();
  std::vector<Tensor> outputs(context.output_count());
  KernelContext plain(node_, std::span(inputs).first(std::min(own, inputs.size())), outputs);
  kernel_->run(plain);
  if (!ops_.empty()) {
    Tensor& y = outputs[0];
    const auto addends = addends_of(KernelContext(node_, inputs, outputs), ops_, y.shape());
    apply(ops_, y.mutate<float>().data(), y.size(), addends.data());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) context.set_output(i, std::move(outputs[i]));
}

}  // namespace intaglio
