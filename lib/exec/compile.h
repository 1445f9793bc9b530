// Compilation: a graph becomes a list of steps over numbered slots. Everything that does not depend
// on the data is decided here, once: which kernel runs a node, where each value lives, and when it
// dies.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "lib/exec/kernel.h"
#include "lib/exec/registry.h"

namespace intaglio {

struct Step {
  const Node* node = nullptr;
  std::vector<const Node*> fused;  // nodes behind it whose work it does too
  const KernelDef* def = nullptr;
  std::unique_ptr<Kernel> kernel;
  std::vector<int> inputs;   // slots; -1: omitted. Behind those of the node: captures(*node)
  std::vector<int> outputs;  // slots; -1: nobody wants it
  std::vector<int> dies;     // slots that no later step reads
  std::optional<ChannelSlice> slice;  // the part of output 0 that this step makes
};

struct CompileOptions {
  const Registry* registry = &default_registry();
  // Which float values the tap will be asked about; null: all. Values that nobody observes may
  // vanish inside fused kernels.
  std::function<bool(const Value&)> observed;
  // Values of outer graphs that a nested graph reads: run() is fed them behind graph->feeds().
  std::vector<const Value*> captures;

  // For runs that only want the outputs.
  static CompileOptions nothing_observed();
};

struct Program {
  const Graph* graph = nullptr;
  std::vector<Step> steps;
  std::vector<const Value*> values;  // by slot
  std::vector<std::pair<int, Tensor>> constants;
  // Slots, in the order of graph->feeds(), then the captures, and of graph->outputs().
  std::vector<int> feeds, outputs;
  std::vector<bool> observed;  // by slot
};

// Throws Code::unsupported for the first node that no kernel takes. The graph must outlive the
// program.
Program compile(const Graph& graph, const CompileOptions& options = {});

}  // namespace intaglio
