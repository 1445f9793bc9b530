// What statistics say is better left float.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "calibration/statistics/statistics.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Nodes of a draft that should stay float, by first output, with the reason (as
// Selection::left_float):
//  - readers of a graph input that was zero in every sample, moved about or not, unless the output
//    that feeds it was measured (state_inputs.h): any other value would be rounded to whole
//    numbers;
//  - what makes or reads a value that was infinite: it masks something, and no code stands for it;
//  - an Add or Sub of an operand more than 8192 times as large as the part of its result that
//    counts (a mask of -1e9): onnxruntime's kernels are exact up to 32768;
//  - what makes the argument of a logarithm that 8 bits would lose (logarithms.h).
std::map<std::string, std::string> unsuitable(const Graph& graph, const Plan& plan,
                                              const Observations& observations);

// Nodes that make or read activations of a draft that nobody measured.
std::map<std::string, std::string> unmeasured(const Graph& graph, const Plan& plan,
                                              const Observations& observations);

// Drafts, and again without unmeasured() nodes, until no others come: what stands beside a node
// that is left float may get pairs that an earlier draft had not. `left_float` (as
// Selection::left_float), which the draft goes by, receives these nodes.
Plan draft_measured(const Graph& graph, const Observations& observations,
                    std::map<std::string, std::string>& left_float,
                    const std::function<Plan()>& draft);

}  // namespace intaglio
