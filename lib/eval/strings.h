// What a text recognizer read, and how far two readings are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/eval/share.h"

namespace intaglio {

// A line as indices of classes: no character list is needed to compare.
using Symbols = std::vector<std::int64_t>;

// Greedy decoding of connectionist temporal classification (Graves et al. 2006, best path): the
// best class of each step (top_k's rule for ties and NaN), repetitions joined, then blanks dropped.
// scores: steps x classes, row-major; they may be probabilities or logits.
Symbols greedy_ctc(std::span<const float> scores, std::size_t classes, std::int64_t blank);

// Levenshtein's distance: the least number of insertions, deletions and replacements that make b of
// a.
std::size_t edit_distance(std::span<const std::int64_t> a, std::span<const std::int64_t> b);

// Counts over lines; merging them is exact.
struct StringErrors {
  std::size_t lines = 0, equal = 0;
  std::size_t unread = 0;      // of lines: neither reads anything, which says nothing of either
  std::size_t characters = 0;  // of the reference
  std::size_t errors = 0;      // edits

  void add(const Symbols& expected, const Symbols& read);
  void merge(const StringErrors& other);
  // In percent, may exceed 100; nullopt when the reference reads nothing.
  std::optional<double> character_error() const;
  // Of the lines of which something is read; nullopt: there are none.
  std::optional<Share> equal_lines() const;
};

}  // namespace intaglio
