// Identity and Dropout, which passes its input on when nothing is trained.
#include <algorithm>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_identity(const Node&) {
  return make_unary([](const Tensor& x) { return x; });
}

// Inputs since opset 12: ratio, training_mode. The mask says which elements were kept: all of them.
std::unique_ptr<Kernel> make_dropout(const Node& node) {
  return make_kernel([typed_mask = node.opset() < 10](KernelContext& c) {
    const Tensor& x = c.input(0);
    const Tensor *ratio = c.optional(1), *training = c.optional(2);
    if (training != nullptr && training->item<bool>() &&
        (ratio == nullptr || ratio->item<float>() != 0))
      throw Error(Code::unsupported, "Dropout in training mode is random",
                  "Export the model for inference.");
    c.set_output(0, x);
    if (!c.wants(1)) return;
    Tensor mask(DType::boolean, x.shape());
    std::fill_n(mask.mutate<bool>().begin(), mask.size(), true);
    c.set_output(1, typed_mask ? convert(mask, x.dtype()) : mask);
  });
}

// The mask has the type of the data before opset 10.
void infer_dropout(RuleContext& c) {
  rules::like(c);
  c.set(1, c.node().opset() < 10 ? c.dtype(0) : DType::boolean, c.dims(0));
}

}  // namespace

void register_identity(Registry& registry) {
  registry.add({.op = "Identity", .make = make_identity, .infer = rules::identity});
  registry.add({.op = "Dropout", .make = make_dropout, .infer = infer_dropout});
}

}  // namespace intaglio
