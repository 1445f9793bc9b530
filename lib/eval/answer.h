// What one model says of one sample, as the metrics read it.
#pragma once

#include <vector>

#include "lib/eval/metric.h"
#include "lib/eval/strings.h"

namespace intaglio {

struct Answer {
  // With topk or agreement: of each position the best five, best first (positions.h).
  std::vector<std::vector<std::size_t>> classes;
  std::vector<float> scores;  // those of classes.front(), as the output holds them
  bool flat = false;          // probabilities of the first position, of which none stands out
  std::vector<Detections> detections;  // of a detector: of each image of the batch
  std::vector<Symbols> strings;        // of a text recognizer: of each line of the batch
};

// Reads what the metrics of the plan need, and boxes and strings of models that are recognized by
// their outputs. Classes and strings are read off the first output.
Answer read_answer(const MetricPlan& plan, std::span<const Tensor> feeds,
                   std::span<const Tensor> outputs);

}  // namespace intaglio
