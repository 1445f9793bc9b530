#include "lib/exec/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "lib/exec/fuse.h"
#include "lib/exec/join.h"
#include "lib/exec/nested.h"

namespace intaglio {
namespace {

// A step before its values have slots.
struct Planned {
  const KernelDef* def = nullptr;
  std::vector<const Node*> nodes = {};  // the one that names it, then those fused into it
  PostOps ops = {};
  std::unique_ptr<Kernel> kernel = nullptr;
  std::vector<const Value*> inputs = {}, outputs = {};
};

class Compiler {
 public:
  Compiler(const Graph& graph, const CompileOptions& options) : options_(options) {
    program_.graph = &graph;
  }

  Program run() {
    const Graph& graph = *program_.graph;
    for (const Value* feed : graph.feeds()) program_.feeds.push_back(slot_of(*feed));
    for (const Value* value : options_.captures) program_.feeds.push_back(slot_of(*value));
    const std::vector<Node*> nodes = graph.nodes();
    for (const Node* node : nodes) fuse_behind(*node);
    for (const Node* node : nodes) follow(*node);
    for (const Node* node : nodes) join(*node);
    for (const Node* node : nodes) {
      const auto last = last_of_chain_.find(node);
      if (last != last_of_chain_.end()) {
        add_step(last->second);
      } else if (!absorbed_.contains(node)) {
        add_step(make_step(*node));
      }
    }
    for (const Value* output : graph.outputs()) program_.outputs.push_back(slot_of(*output));
    mark_deaths();
    return std::move(program_);
  }

 private:
  int slot_of(const Value& value) {
    const auto [it, fresh] = slots_.try_emplace(&value, static_cast<int>(program_.values.size()));
    if (fresh) {
      program_.values.push_back(&value);
      program_.observed.push_back(observed(value));
      if (value.is_constant()) program_.constants.emplace_back(it->second, value.constant());
    }
    return it->second;
  }

  bool observed(const Value& value) const { return !options_.observed || options_.observed(value); }

  // Tries the longest chain first. The step stands where the last node of the chain stood, so that
  // what it adds is there.
  void fuse_behind(const Node& node) {
    if (absorbed_.contains(&node)) return;
    const KernelDef& def = options_.registry->select(node);
    if (def.make_fused == nullptr) return;
    auto chain = chain_behind(node, [&](const Value& value) { return observed(value); });
    const auto taken = std::ranges::find_if(chain, [&](const Link& link) {
      return std::ranges::any_of(link.nodes, [&](const Node* n) { return absorbed_.contains(n); });
    });
    chain.erase(taken, chain.end());
    for (; !chain.empty(); chain.pop_back())
      if (make_fused(node, def, chain)) return;
  }

  bool make_fused(const Node& node, const KernelDef& def, const std::vector<Link>& chain) {
    Planned step{.def = &def};
    step.inputs.assign(node.inputs().begin(), node.inputs().end());
    for (const Link& link : chain) {
      step.ops.push_back(link.op);
      if (link.addend == nullptr) continue;
      step.ops.back().input = step.inputs.size();
      step.inputs.push_back(link.addend);
    }
    step.kernel = within(node, [&] { return def.make_fused(node, step.ops); });
    if (step.kernel == nullptr) return false;
    step.nodes.push_back(&node);
    for (const Link& link : chain)
      step.nodes.insert(step.nodes.end(), link.nodes.begin(), link.nodes.end());
    step.outputs.assign(node.outputs().begin(), node.outputs().end());
    step.outputs[0] = chain.back().result;
    absorbed_.insert(step.nodes.begin(), step.nodes.end());
    end_of_chain_[&node] = chain.back().nodes.back();
    last_of_chain_[chain.back().nodes.back()] = std::move(step);
    return true;
  }

  // Joins the chain that ends with the node and the one that alone reads its result, when one
  // kernel does both.
  void follow(const Node& node) {
    const auto found = last_of_chain_.find(&node);
    if (found == last_of_chain_.end() || found->second.def->make_followed == nullptr) return;
    Planned& first = found->second;
    const Value& between = *first.outputs[0];
    if (between.uses().size() != 1 || between.is_output() || observed(between)) return;
    const auto end = end_of_chain_.find(between.uses().front().node);
    if (end == end_of_chain_.end()) return;
    Planned& second = last_of_chain_.at(end->second);
    const Node &head = *first.nodes.front(), &next = *second.nodes.front();
    const bool adds =
        first.inputs.size() > head.inputs().size() || second.inputs.size() > next.inputs().size();
    if (adds || next.input(0) != &between) return;
    auto kernel =
        within(head, [&] { return first.def->make_followed(head, first.ops, next, second.ops); });
    if (kernel == nullptr) return;
    second.kernel = std::move(kernel);
    second.def = first.def;
    second.inputs = first.inputs;
    second.nodes.insert(second.nodes.begin(), first.nodes.begin(), first.nodes.end());
    last_of_chain_.erase(found);
  }

  // Leaves out a Concat whose inputs can be made in place.
  void join(const Node& node) {
    const auto can = [&](const Value& value) {
      if (value.producer() == nullptr) return false;
      const auto fused = last_of_chain_.find(value.producer());
      if (fused != last_of_chain_.end()) return fused->second.def->slices;
      return !absorbed_.contains(value.producer()) &&
             options_.registry->select(*value.producer()).slices;
    };
    const JoinedValues parts = joined_values(
        node, [&](const Value& v) { return observed(v); }, can);
    if (parts.empty()) return;
    absorbed_.insert(&node);
    joined_.insert(parts.begin(), parts.end());
  }

  Planned make_step(const Node& node) {
    Planned step{.def = &options_.registry->select(node), .nodes = {&node}};
    step.kernel = within(node, [&] { return step.def->make(node); });
    step.inputs.assign(node.inputs().begin(), node.inputs().end());
    for (const Value* value : captures(node)) step.inputs.push_back(value);
    step.outputs.assign(node.outputs().begin(), node.outputs().end());
    return step;
  }

  template <typename F>
  static std::unique_ptr<Kernel> within(const Node& node, F make) {
    try {
      return make();
    } catch (const Error& e) {
      throw e.within(node.label());
    }
  }

  void add_step(Planned& planned) {
    Step step;
    step.node = planned.nodes.front();
    step.def = planned.def;
    step.fused.assign(planned.nodes.begin() + 1, planned.nodes.end());
    step.kernel = std::move(planned.kernel);
    for (const Value* value : planned.inputs) step.inputs.push_back(value ? slot_of(*value) : -1);
    const auto part = joined_.find(planned.outputs.empty() ? nullptr : planned.outputs[0]);
    if (part != joined_.end()) {
      planned.outputs[0] = part->second.result;
      step.slice = part->second.slice;
    }
    for (const Value* value : planned.outputs) step.outputs.push_back(value ? slot_of(*value) : -1);
    program_.steps.push_back(std::move(step));
  }
  void add_step(Planned&& planned) { add_step(planned); }

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
  std::unordered_set<const Node*> absorbed_;
  std::unordered_map<const Node*, Planned> last_of_chain_;
  std::unordered_map<const Node*, const Node*> end_of_chain_;  // by the node that it starts with
  JoinedValues joined_;
};

}  // namespace

CompileOptions CompileOptions::nothing_observed() {
  CompileOptions options;
  options.observed = [](const Value&) { return false; };
  return options;
}

Program compile(const Graph& graph, const CompileOptions& options) {
  return Compiler(graph, options).run();
}

}  // namespace intaglio
