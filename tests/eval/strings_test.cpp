#include "lib/eval/strings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace intaglio {
namespace {

// Steps whose best classes are these.
std::vector<float> steps(const std::vector<std::int64_t>& best, std::size_t classes) {
  std::vector<float> scores(best.size() * classes, 0.1f);
  for (std::size_t t = 0; t < best.size(); ++t)
    scores[t * classes + static_cast<std::size_t>(best[t])] = 0.8f;
  return scores;
}

TEST(GreedyCtc, JoinsRepetitionsAndDropsBlanks) {
  EXPECT_EQ(greedy_ctc(steps({0, 2, 2, 0, 2, 1, 1, 3, 0}, 4), 4, 0), (Symbols{2, 2, 1, 3}));
  EXPECT_EQ(greedy_ctc(steps({0, 2, 2, 0, 2, 1, 1, 3, 0}, 4), 4, 3), (Symbols{0, 2, 0, 2, 1, 0}));
  EXPECT_EQ(greedy_ctc(steps({0, 0}, 4), 4, 0), Symbols{});
  EXPECT_EQ(greedy_ctc({}, 4, 0), Symbols{});
}

TEST(GreedyCtc, TiesGoToTheFirstClassAndNaNLoses) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(greedy_ctc(std::vector<float>{0, 5, 5}, 3, 0), Symbols{1});
  EXPECT_EQ(greedy_ctc(std::vector<float>{nan, nan, -1}, 3, 0), Symbols{2});
}

TEST(EditDistance, KnownValues) {
  EXPECT_EQ(edit_distance(Symbols{}, Symbols{}), 0u);
  EXPECT_EQ(edit_distance(Symbols{1, 2, 3}, Symbols{}), 3u);
  EXPECT_EQ(edit_distance(Symbols{}, Symbols{1, 2}), 2u);
  EXPECT_EQ(edit_distance(Symbols{1, 2, 3}, Symbols{1, 4, 3}), 1u);
  EXPECT_EQ(edit_distance(Symbols{1, 2, 3, 4}, Symbols{2, 3, 4, 5}), 2u);
}

// The definition.
std::size_t distance_slowly(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const auto x = a.subspan(1), y = b.subspan(1);
  if (a[0] == b[0]) return distance_slowly(x, y);
  return 1 + std::min({distance_slowly(x, b), distance_slowly(a, y), distance_slowly(x, y)});
}

TEST(EditDistance, IsItsSlowTwin) {
  std::mt19937 random(3);
  std::uniform_int_distribution<std::int64_t> symbol(0, 2);
  std::uniform_int_distribution<std::size_t> length(0, 7);
  for (int round = 0; round < 300; ++round) {
    Symbols a(length(random)), b(length(random));
    for (auto* list : {&a, &b})
      for (auto& s : *list) s = symbol(random);
    EXPECT_EQ(edit_distance(a, b), distance_slowly(a, b));
    EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
  }
}

TEST(StringErrors, AddUpOverLines) {
  StringErrors sum, line;
  sum.add({1, 2, 3}, {1, 2, 3});
  line.add({4, 5}, {4});
  sum.merge(line);
  EXPECT_EQ(sum.lines, 2u);
  EXPECT_DOUBLE_EQ(sum.equal_lines()->percent(), 50);
  EXPECT_DOUBLE_EQ(*sum.character_error(), 20);
}

TEST(StringErrors, NothingToReadIsNoFigure) {
  StringErrors none;
  EXPECT_FALSE(none.equal_lines());
  none.add({}, {7});
  EXPECT_FALSE(none.character_error()) << "an error of how many characters?";
  EXPECT_EQ(none.equal_lines()->percent(), 0);
}

TEST(StringErrors, WhatNeitherReadsIsNotEqual) {
  StringErrors sum;
  sum.add({}, {});
  EXPECT_EQ(sum.unread, 1u);
  EXPECT_FALSE(sum.equal_lines()) << "nothing was read";
  sum.add({1}, {1});
  sum.add({1}, {2});
  EXPECT_EQ(sum.lines, 3u);
  EXPECT_DOUBLE_EQ(sum.equal_lines()->percent(), 50);
}

}  // namespace
}  // namespace intaglio
