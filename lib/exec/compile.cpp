#include "lib/exec/compile.h"

#include <fmt/format.h>

#include <unordered_map>

#include "lib/exec/nested.h"

namespace intaglio {
namespace {

class Compiler {
 public:
  Compiler(const Graph& graph, const CompileOptions& options) : options_(options) {
    program_.graph = &graph;
  }

  Program run() {
    const Graph& graph = *program_.graph;
    for (const Value* feed : graph.feeds()) program_.feeds.push_back(slot_of(*feed));
    for (const Value* value : options_.captures) program_.feeds.push_back(slot_of(*value));
    for (const Node* node : graph.nodes()) add_step(*node);
    for (const Value* output : graph.outputs()) program_.outputs.push_back(slot_of(*output));
    mark_deaths();
    return std::move(program_);
  }

 private:
  int slot_of(const Value& value) {
    const auto [it, fresh] = slots_.try_emplace(&value, static_cast<int>(program_.values.size()));
    if (fresh) {
      program_.values.push_back(&value);
      program_.observed.push_back(!options_.observed || options_.observed(value));
      if (value.is_constant()) program_.constants.emplace_back(it->second, value.constant());
    }
    return it->second;
  }

  void add_step(const Node& node) {
    Step step;
    step.node = &node;
    step.def = &options_.registry->select(node);
    try {
      step.kernel = step.def->make(node);
    } catch (const Error& e) {
      throw e.within(node.label());
    }
    for (const Value* value : node.inputs()) step.inputs.push_back(value ? slot_of(*value) : -1);
    for (const Value* value : captures(node)) step.inputs.push_back(slot_of(*value));
    for (const Value* value : node.outputs()) step.outputs.push_back(value ? slot_of(*value) : -1);
    program_.steps.push_back(std::move(step));
  }

  // A value dies after the last step that reads it; graph outputs and constants never do.
  void mark_deaths() {
    std::vector<bool> dead_or_kept(program_.values.size(), false);
    for (const int slot : program_.outputs) dead_or_kept[static_cast<std::size_t>(slot)] = true;
    for (const auto& constant : program_.constants)
      dead_or_kept[static_cast<std::size_t>(constant.first)] = true;
    const auto bury = [&](int slot, std::vector<int>& list) {
      if (slot < 0 || dead_or_kept[static_cast<std::size_t>(slot)]) return;
      dead_or_kept[static_cast<std::size_t>(slot)] = true;
      list.push_back(slot);
    };
    for (std::size_t i = program_.steps.size(); i-- > 0;) {
      Step& step = program_.steps[i];
      for (const int slot : step.inputs) bury(slot, step.dies);
      for (const int slot : step.outputs) bury(slot, step.dies);  // made, but never read
    }
  }

  const CompileOptions& options_;
  Program program_;
  std::unordered_map<const Value*, int> slots_;
};

}  // namespace

Program compile(const Graph& graph, const CompileOptions& options) { return Compiler(graph, options).run(); }

}  // namespace intaglio
