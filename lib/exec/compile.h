// Compilation: a graph becomes a list of steps over numbered slots. Everything that does not depend on the
// data is decided here, once: which kernel runs a node, where each value lives, and when it dies.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lib/exec/kernel.h"
#include "lib/exec/registry.h"

namespace intaglio {

struct Step {
  const Node* node = nullptr;
  const KernelDef* def = nullptr;
  std::unique_ptr<Kernel> kernel;
  std::vector<int> inputs;   // slots; -1: omitted
  std::vector<int> outputs;  // slots; -1: nobody wants it
  std::vector<int> dies;     // slots that no later step reads
};

struct Program {
  const Graph* graph = nullptr;
  std::vector<Step> steps;
  std::vector<const Value*> values;           // by slot
  std::vector<std::pair<int, Tensor>> constants;
  std::vector<int> feeds, outputs;            // slots, in the order of graph->feeds() and outputs()
  std::vector<int> idle_feeds;                // feeds that no step and no output reads
};

// Throws Code::unsupported for the first node that no kernel takes. The graph must outlive the program.
Program compile(const Graph& graph, const Registry& registry = default_registry());

}  // namespace intaglio
