#include <algorithm>

#include "lib/exec/nested.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_if(const Node& node) {
  return make_kernel([yes = NestedGraph(node, "then_branch"),
                      no = NestedGraph(node, "else_branch")](KernelContext& c) {
    const NestedGraph& taken = c.input(0).item<bool>() ? yes : no;
    std::vector<Tensor> results = taken.run(c, {});
    if (results.size() < c.output_count())
      throw Error(Code::model, "the branch has fewer outputs than the node");
    for (std::size_t i = 0; i < c.output_count(); ++i) c.set_output(i, std::move(results[i]));
  });
}

// What both branches agree on.
void infer_if(RuleContext& c) {
  const std::vector<Known> yes = c.body("then_branch", {}), no = c.body("else_branch", {});
  for (std::size_t i = 0; i < std::min({c.result_count(), yes.size(), no.size()}); ++i)
    c.set(i, yes[i].dtype != DType::undefined ? yes[i].dtype : no[i].dtype,
          common(yes[i].dims, no[i].dims));
}

}  // namespace

void register_if(Registry& registry) {
  registry.add({.op = "If", .make = make_if, .infer = infer_if});
}

}  // namespace intaglio
