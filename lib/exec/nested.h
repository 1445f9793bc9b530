// Graphs nested in a node (If, Loop, Scan) as programs of their own.
//
// A nested graph reads values of the graphs around it by name. compile() turns these into hidden
// inputs of the node's step, behind its own ones, so that they live until the step has run; a
// NestedGraph hands them on to its program as extra feeds. This holds at any depth: what an inner
// graph captures from far outside is a capture of each node on the way.
//
// Taps see no value inside a nested graph. Threads: run() may be called from many at once.
#pragma once

#include <string_view>
#include <vector>

#include "lib/exec/executor.h"
#include "lib/exec/kernel.h"

namespace intaglio {

// The values of outer graphs that the nested graphs of a node read or return, each once, in the
// order of first mention. Without constants: every program that reads one holds it itself.
std::vector<const Value*> captures(const Node& node);

class NestedGraph {
 public:
  // Compiles the graph that the attribute holds. Throws Code::model when it is missing and
  // Code::unsupported when one of its nodes has no kernel.
  NestedGraph(const Node& node, std::string_view attr);

  const std::vector<Value*>& feeds() const { return feeds_; }
  const std::vector<Value*>& outputs() const { return executor_.graph().outputs(); }

  // context: that of the call of the node, for the captured values. inputs: one for each of
  // feeds(); Code::model when there are more or fewer.
  std::vector<Tensor> run(const KernelContext& context, std::vector<Tensor> inputs) const;

 private:
  std::vector<Value*> feeds_;
  Executor executor_;
};

}  // namespace intaglio
