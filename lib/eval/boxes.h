// Boxes that a detector found: how they overlap, and how far two lists of them are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace intaglio {

// Corners, in any unit: the overlap of two boxes does not depend on it, nor on whether both axes
// have the same one.
struct Box {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

struct Detection {
  Box box;
  float score = 0;
  std::int64_t label = 0;
};
using Detections = std::vector<Detection>;  // of one image

// Intersection over union, 0..1. A box without area, or with a NaN, overlaps nothing.
double iou(const Box& a, const Box& b);

// Greedy non-maximum suppression by label: from the best score to the least (of equals, the one
// that stands first), a detection goes when a kept one of its label overlaps it by more than
// `limit`. Returned in that order. Scores must not be NaN.
Detections suppress(Detections detections, double limit);

// Counts over images; merging them is exact.
struct BoxMatches {
  std::size_t matched = 0;   // pairs
  std::size_t expected = 0;  // boxes of the reference
  std::size_t found = 0;     // boxes of the model

  void merge(const BoxMatches& other);
  // 0..1; nullopt where there is nothing to divide by.
  std::optional<double> precision() const;  // matched / found
  std::optional<double> recall() const;     // matched / expected
  std::optional<double> f1() const;         // 2 matched / (expected + found)
};

// Pairs the boxes of one image one to one, each with one of the same label that it overlaps by at
// least `least`. It is the largest number of pairs that there is (augmenting paths, Kuhn 1955), so
// that neither the order of the boxes nor which list is the reference matters.
BoxMatches match(const Detections& expected, const Detections& found, double least);

}  // namespace intaglio
