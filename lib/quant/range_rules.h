// What the graph itself says about the range of a value, beside what was observed.
#pragma once

#include <limits>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/qparams.h"

namespace intaglio {

struct Bound {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
  std::string rule;  // for the report
};

// The values that the producer can make at all (OpTraits::result).
Bound bound_of_producer(const Value& value);

// The values that make a difference to the readers: when all of them have an active range
// (OpTraits::active), what lies beyond it changes nothing (of Sigmoid: nothing that as many bits
// could tell). Without bounds when somebody else reads the value or it leaves the graph.
Bound bound_of_readers(const Value& value, std::size_t bits = 8);

// What the readers make of a small change of a negative value: the slope of the LeakyRelu (at most
// 1) that alone reads it, or its maxima (MaxPool); 1 for others.
double slope_of_readers(const Value& value);

// Whether MaxPool alone reads the value: its small values are lost, and what its pools let through
// decides its range.
bool only_pooled(const Value& value);

// The part of a range inside a bound; the rule goes into `notes` when that cuts something off. Zero
// is never cut off.
Range within(const Range& range, const Bound& bound, std::vector<std::string>& notes);

// Names of the values that become an output of the graph by nothing more than pooling, Softmax or
// moves: scores and what feeds them. Clipping them changes answers, so that they keep their whole
// range under every method.
std::unordered_set<std::string> scores(const Graph& graph);

}  // namespace intaglio
