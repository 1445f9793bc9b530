// com.microsoft: QMoE, a mixture of experts with packed weights. No kernel takes it; what says so
// stands here, so that a model that holds it is refused by name and with the reason.
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Refusal refuse(const Node&) {
  return "a mixture of experts, whose packed weights nothing here reads";
}

std::unique_ptr<Kernel> make(const Node& node) {
  throw Error(Code::unsupported, node.label() + ": " + *refuse(node));
}

}  // namespace

void register_qmoe(Registry& registry) {
  registry.add({.op = "QMoE",
                .domain = "com.microsoft",
                .refuse = refuse,
                .make = make,
                .infer = rules::like});
}

}  // namespace intaglio
