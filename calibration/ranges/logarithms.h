// Front ends that 8 bits do not suit: spectra whose logarithm, root or reciprocal is taken. Codes
// of one step everywhere keep large values; behind a logarithm the small ones count as much.
#pragma once

#include <map>
#include <string>

#include "calibration/statistics/statistics.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Whether the graph takes a Log, a root or a reciprocal of anything.
bool has_logarithms(const Graph& graph);

// The share of the values other than 0 that 8 bits over the whole range would round to 0: those
// below half a step. Without a histogram 0.
double share_lost(const Statistics& statistics);

// The compute nodes of a draft (Conv, MatMul, ...), by first output, with the share lost, whose
// result becomes the argument of a Log, Sqrt, Reciprocal, a Pow with an exponent below 1, or a
// divisor,
//  - by nothing but arithmetic value by value, moves, sums of two values, and other such nodes; and
//  - of whose data, or whose result, more than a quarter would be lost.
// Sums over more values (the variance of a normalization) and Softmax end the search: what they
// make has no small values that matter.
std::map<std::string, double> before_logarithms(const Graph& graph, const Plan& plan,
                                                const Observations& observations);

}  // namespace intaglio
