// What two models say of one sample, kept for those who want to see where they part.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/eval/answer.h"
#include "lib/eval/metrics.h"

namespace intaglio {

struct SampleAnswer {
  std::size_t sample = 0;             // its number in Samples
  std::string name = {};              // and its name there; empty: it has none
  std::optional<std::int64_t> label;  // where it was asked for
  // As the metrics read them. The reference's is empty without one; classes are those of a sample
  // with one position, and empty else: there may be as many positions as pixels.
  Answer reference, model;
  // Beside the reference: of each output, of the boxes, of the strings.
  std::vector<Deviation> outputs;  // empty without a reference, and where shapes differ
  BoxMatches boxes;
  StringErrors strings;
  TokenErrors tokens;
  std::size_t positions = 0, same = 0;  // same: the best class of both models

  // 0..1: positions with another class or token, boxes without a counterpart, characters that are wrong (1 is
  // the most), whichever is worst. Without a reference whether the label was missed.
  double wrong() const;
  // Of the output that fares worst; nullopt: without noise, or there is nothing to compare.
  std::optional<double> sqnr_db() const;
  std::optional<double> cosine() const;  // the same; nullopt: there is no signal
};

// Numbers of answers, those first of which most is wrong, of equals those with the lower SQNR, of
// equals in order.
std::vector<std::size_t> worst_first(std::span<const SampleAnswer> answers);

}  // namespace intaglio
