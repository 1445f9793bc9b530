// The draft: which nodes and values of a prepared graph are quantized for a target, and why the
// rest is not.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"

namespace intaglio {

// The type of weights in groups that some nodes have in place of the target's; undefined: float.
struct WeightTypeRule {
  std::string pattern;  // as those of Selection
  DType type = DType::undefined;
};

// What the user asked for beyond the target. Patterns are ECMAScript regular expressions that must
// match a whole node name; a pattern or operator that matches nothing is an error (Code::usage),
// and so is a bad one.
struct Selection {
  std::vector<std::string> include, exclude;  // node names; first outputs where there is no name
  std::vector<std::string> include_ops, exclude_ops;
  // Of forms that store weights in groups; the last rule that matches holds. head: of the product
  // that makes a result of the graph; table: of what Gather looks up.
  std::vector<WeightTypeRule> weights_of = {};
  std::optional<DType> head = {}, table = {};
  // Nodes found to be better off float, by first output, with the reason.
  std::map<std::string, std::string> left_float = {};
  // Nodes that get activations of 16 bits (lib/quant/wide_activations.h), by first output, with the reason.
  std::map<std::string, std::string> raised = {};
};

// Decides by these rules, in which "float" means that a node keeps float inputs and says why:
//  - a node is a candidate when the target lists its operator, the user did not exclude it, its
//    data is float32, and its weights (if its role needs them) are constants;
//  - a candidate's float inputs and outputs are quantized, except that an activation has no pair
//    between itself and the producer it is fused into (lib/quant/fusion.h);
//  - an operator with `left_float` stays float;
//  - arithmetic stays float on what a float operator makes, in its size, and with constants that
//    hold infinities or NaN;
//  - arithmetic whose result only float operators read stays float; so does the result of a
//    producer with `float_output` that float operators read, or that only leaves the graph, and
//    arithmetic of this kind at the graph's end as a whole;
//  - layers that make results of the graph and have no form with a float result (a last Conv) stay
//    float where they take at most 8 % of the products, and so do layers that are normalized
//    by channel, fewest products first, for runtimes that mix both freely;
//  - a Gather from a large constant table stores the table in codes (weight_inputs(),
//    lib/quant/weights.h): those of the rows that it finds where these are quantized anyway, else
//    by column;
//  - an LSTM, GRU or RNN (role weights) stores its weights in codes and computes on floats;
//  - a node that only moves values (role share) is quantized when its input is, whatever the order
//    in which nodes are listed, and shares its parameters; role join ties all inputs and outputs
//    together;
//  - one that moves a graph input is quantized too where all that reads what it moved takes codes.
// The graph must have its types inferred (lib/exec/infer.h). Nothing is edited.
Plan draft(const Graph& graph, const Target& target, const Selection& selection = {});

// The draft of the forms that quantize no activation ahead of the run: weights alone
// (weight_inputs(), lib/quant/weights.h), with the scheme of the target's weights, whatever
// operators it lists.
Plan draft_weights(const Graph& graph, const Target& target, const Selection& selection = {});

// The same where the target's weights come in groups (Scheme::group): those of products, along what
// is summed over, with the largest groups up to the wanted ones that a weight fills. Other weights
// have 8 bits per channel. packed_tables: tables may have groups too, along their rows
// (GatherBlockQuantized); 8 bits unless the selection says otherwise.
Plan draft_groups(const Graph& graph, const Target& target, const Selection& selection,
                  bool packed_tables);

}  // namespace intaglio
