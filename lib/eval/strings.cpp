#include "lib/eval/strings.h"

#include <algorithm>
#include <numeric>

#include "lib/eval/metrics.h"

namespace intaglio {
namespace {

std::optional<double> percentage(std::size_t part, std::size_t whole) {
  if (whole == 0) return std::nullopt;
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Symbols greedy_ctc(std::span<const float> scores, std::size_t classes, std::int64_t blank) {
  Symbols symbols;
  std::int64_t last = blank;
  for (std::size_t begin = 0; begin + classes <= scores.size(); begin += classes) {
    const auto best = static_cast<std::int64_t>(best_of(scores.subspan(begin, classes)));
    if (best != last && best != blank) symbols.push_back(best);
    last = best;
  }
  return symbols;
}

std::size_t edit_distance(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  // Distances of what was read of a to each prefix of b.
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

void StringErrors::add(const Symbols& expected, const Symbols& read) {
  ++lines;
  const bool nothing = expected.empty() && read.empty();
  unread += nothing;
  equal += !nothing && expected == read;
  characters += expected.size();
  errors += edit_distance(expected, read);
}

void StringErrors::merge(const StringErrors& other) {
  lines += other.lines;
  equal += other.equal;
  unread += other.unread;
  characters += other.characters;
  errors += other.errors;
}

std::optional<double> StringErrors::character_error() const {
  return percentage(errors, characters);
}
std::optional<Share> StringErrors::equal_lines() const {
  return lines > unread ? std::optional(Share{equal, lines - unread}) : std::nullopt;
}

}  // namespace intaglio
