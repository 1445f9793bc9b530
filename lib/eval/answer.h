// What one model says of one sample, as the metrics read it.
#pragma once

#include <vector>

#include "lib/eval/metric.h"
#include "lib/eval/strings.h"

namespace intaglio {

struct Answer {
  // With topk or agreement: of each position the best five, best first (positions.h).
  std::vector<std::vector<std::size_t>> classes;
  std::vector<float> scores;           // those of classes.front(), as the output holds them
  std::vector<Detections> detections;  // with boxes: of each image of the batch
  std::vector<Symbols> strings;        // with ctc: of each line of the batch
};

// Reads what the metrics of the plan need, and nothing else. Classes and strings are read off the
// first output.
Answer read_answer(const MetricPlan& plan, std::span<const Tensor> feeds,
                   std::span<const Tensor> outputs);

}  // namespace intaglio
