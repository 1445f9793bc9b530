// Whether a target runs one node of a quantized model in integers, and why not.
#pragma once

#include <map>
#include <string>

#include "lib/check/check.h"
#include "lib/check/schemes.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/target.h"

namespace intaglio {

// What is known of the nodes of a model, by their names.
struct NodeFindings {
  std::map<std::string, Violation> given_integer;    // operators on codes, and what they lack
  std::map<std::string, IntegerDecision> decisions;  // of onnxruntime's rules
};

// The verdict on a node of a graph of Q/DQ pairs, with reason and remedy, goes into the entry, which
// says `integer` so far. True: its weights alone are codes.
bool judge(const Node& node, const Target& target, const NodeFindings& findings, NodeCheck& entry);

}  // namespace intaglio
