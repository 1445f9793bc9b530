// What is better left float once a draft is decided: arithmetic amid float operators, results that
// only leave the graph.
#pragma once

#include <map>

#include "lib/quant/draft_decision.h"

namespace intaglio {

class DraftRevision {
 public:
  DraftRevision(DraftTask& task, DraftDecision& decision) : task_(task), decision_(decision) {}

  // Adds to task.left_out. False: it had nothing to add, the decision stands.
  bool run();

 private:
  bool drop_amid_float();
  bool computes_by_element(const Node& node) const;
  bool made_in_float(const Value* value) const;
  bool drop_useless();
  bool ends_the_graph(const Value& value);
  bool only_arithmetic_follows(const Value& value);
  bool leave_results_float();
  bool read_in_float(const Node& node) const;
  bool adds_to_last_product(const Node& node) const;
  bool adds_to_product(const Node& add) const;

  DraftTask& task_;
  DraftDecision& decision_;
  std::map<const Value*, bool> ends_;  // of ends_the_graph(): joins are met once, not on every path
};

}  // namespace intaglio
