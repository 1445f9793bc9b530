// What the tests of passes share.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/exec/executor.h"
#include "lib/passes/pass.h"
#include "tests/support/support.h"

namespace intaglio::testing {

inline int run_pass(std::string_view name, Model& model, const PrepareOptions& options = {}) {
  for (const Pass& pass : preparation_passes()) {
    if (pass.name != name) continue;
    const int rewrites = pass.run(model, options);
    model.graph().verify();
    return rewrites;
  }
  ADD_FAILURE() << "no pass is called " << name;
  return -1;
}

// Operators in topological order: "Conv Relu".
inline std::string ops_of(const Graph& graph) {
  std::string text;
  for (const Node* node : graph.nodes()) text += (text.empty() ? "" : " ") + node->op();
  return text;
}

inline Node* find_op(const Graph& graph, std::string_view op) {
  for (Node* node : graph.nodes())
    if (node->is(op)) return node;
  return nullptr;
}

// Runs the passes on the text model, each of them at least once with effect, and compares the
// outputs with those of the model as it was.
inline Model same_after(std::initializer_list<std::string_view> passes, const TextModel& text,
                        const std::vector<Tensor>& feeds, double rtol = 1e-5) {
  Model model = text.typed();
  const auto before = Executor(model.graph()).run(feeds);
  for (const std::string_view pass : passes) {
    EXPECT_GT(run_pass(pass, model), 0) << pass;
    EXPECT_EQ(run_pass(pass, model), 0) << pass << " finds work a second time";
  }
  const auto after = Executor(model.graph()).run(feeds);
  EXPECT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(close(after[i], before[i], rtol)) << i;
  return model;
}

}  // namespace intaglio::testing
