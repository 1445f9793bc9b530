// What the values of a classifier's output are, and whether an output is one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

enum class Scores { logits, probabilities, logarithms };

// By the operator that makes the output, behind what only moves, widens or rounds values: Softmax
// and Sigmoid make probabilities, LogSoftmax their logarithms.
Scores scores_of(const Value& output);

// Why a result holds no scores of one sample's classes; nullopt: one axis alone is longer than 1.
std::optional<std::string> no_scores(const Tensor& result);

// As probabilities. Logits that lie in 0..1 and sum to 1 are taken for some: a Softmax may be
// written out.
std::vector<float> probabilities(std::vector<float> scores, Scores kind);

}  // namespace intaglio
