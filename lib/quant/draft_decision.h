// What one pass over the graph decides for a draft: the nodes that are taken, and the values that
// get codes. Revisions (draft_revision.h) leave nodes out, whereupon it is decided anew.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/filter.h"
#include "lib/quant/target.h"

namespace intaglio {

// Values tied together: a small union-find over names, led by the value that was named first.
class Groups {
 public:
  const std::string& leader(const std::string& name) {
    std::string& parent = parent_.try_emplace(name, name).first->second;
    if (parent != name) parent = leader(parent);
    return parent;
  }
  void tie(const std::string& a, const std::string& b) {
    const std::string first = leader(a), second = leader(b);
    if (first != second) parent_[second] = first;
  }

 private:
  std::map<std::string, std::string> parent_;
};

// What is drafted, and what for.
struct DraftTask {
  DraftTask(const Graph& drafted, const Target& wanted, const Selection& selection);

  const Graph& graph;
  const Target& target;
  std::vector<Node*> nodes;
  NodeFilter filter;
  bool shares_tables;  // rows of tables have the codes of what reads them
  // Nodes that are better off float, and why: revisions add to them.
  std::map<const Node*, std::string> left_out;
  bool results_left = false;  // whether the layers that make results have been looked at

  const OpRule* rule_of(const Node& node) const;
};

class DraftDecision {
 public:
  explicit DraftDecision(const DraftTask& task);

  bool accepts(const Node& node) const { return accepted_.contains(&node); }
  bool has_codes(const Value& value) const { return quantized_.contains(&value); }
  // Its data has codes, not its weights alone.
  bool takes_codes(const Node& node) const;
  // The codes of its table are those of the rows that it finds.
  bool shares_table(const Node& node) const { return shared_tables_.contains(&node); }
  // Why a node is not taken.
  const std::string& reason(const Node& node) const { return reasons_.at(&node); }
  // The value that leads those which share parameters with the named one.
  const std::string& leader(const std::string& name) { return groups_.leader(name); }

  // Why the node cannot be quantized, whatever its neighbours are.
  std::optional<std::string> obstacle(const Node& node) const;
  // The producer that an activation is fused into, or null.
  const Node* fusion_of(const Node& node) const;
  // The activation that will be fused into this node, so that no pair goes between them.
  const Node* activation_of(const Node& node) const;
  // The value is a graph output, or becomes one by movers alone, or is read by operators that stay
  // float.
  bool only_leaves(const Value& value) const;
  // Its results are floats that only leave the graph: what it reads need not be codes either.
  bool leaves_in_float(const Node& node) const;

  // A revision leaves the node out. What was decided of others stands until it is decided anew.
  void drop(const Node& node) { accepted_.erase(&node); }

 private:
  std::optional<std::string> obstacle_around(const Node& node) const;
  void consider(const Node& node);
  void share_table(const Node& node);
  bool only_taken_as_codes(const Value& value) const;
  bool takes_as_codes(const Use& use, const Value& value) const;
  bool follow(const Node& node);
  bool lead(const Node& node);
  bool comes_from_feed(const Value& value) const;
  void refuse(const Node& node, std::string reason) { reasons_[&node] = std::move(reason); }
  void quantize_value(const Value* value);
  void quantize_output(const Node& node);
  const OpRule* rule_of(const Node& node) const { return task_->rule_of(node); }

  const DraftTask* task_;
  std::set<const Node*> accepted_;
  std::set<const Value*> quantized_;
  std::set<const Node*> shared_tables_;
  std::map<const Node*, std::string> reasons_;
  Groups groups_;
};

// Whether its weights alone are codes, whatever becomes of its data.
bool keeps_floats(const Node& node, const DraftTask& task);

}  // namespace intaglio
