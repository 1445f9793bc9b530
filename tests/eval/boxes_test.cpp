#include "lib/eval/boxes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace intaglio {
namespace {

Detection at(float x, float y, float side, float score = 1, std::int64_t label = 0) {
  return {{x, y, x + side, y + side}, score, label};
}

TEST(Iou, KnownValues) {
  EXPECT_DOUBLE_EQ(iou({0, 0, 2, 2}, {0, 0, 2, 2}), 1);
  EXPECT_DOUBLE_EQ(iou({0, 0, 2, 2}, {1, 0, 3, 2}), 2.0 / 6);
  EXPECT_DOUBLE_EQ(iou({0, 0, 2, 2}, {1, 1, 3, 3}), 1.0 / 7);
  EXPECT_EQ(iou({0, 0, 1, 1}, {1, 0, 2, 1}), 0) << "they touch";
  EXPECT_EQ(iou({0, 0, 1, 1}, {5, 5, 6, 6}), 0) << "far apart on both axes";
}

TEST(Iou, DoesNotDependOnTheUnitsOfTheAxes) {
  EXPECT_NEAR(iou({0, 0, 20, 3}, {10, 1, 30, 4}), iou({0, 0, 2, 300}, {1, 100, 3, 400}), 1e-12);
}

TEST(Iou, OfNoBoxIsZero) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(iou({1, 1, 1, 1}, {1, 1, 1, 1}), 0);
  EXPECT_EQ(iou({2, 0, 0, 2}, {0, 0, 2, 2}), 0) << "corners the wrong way round";
  EXPECT_EQ(iou({0, 0, nan, 2}, {0, 0, 2, 2}), 0);
  EXPECT_EQ(iou({-inf, -inf, inf, inf}, {0, 0, 2, 2}), 0);
}

TEST(Suppress, KeepsTheBestOfEachHeap) {
  const Detections kept = suppress(
      {at(0, 0, 10, 0.5f), at(1, 0, 10, 0.9f), at(0, 1, 10, 0.7f, 1), at(30, 0, 10, 0.4f)}, 0.45);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].score, 0.9f);
  EXPECT_EQ(kept[1].label, 1) << "another label";
  EXPECT_EQ(kept[2].score, 0.4f) << "far away";
}

TEST(Suppress, OfEqualScoresTheFirstStays) {
  const Detections kept = suppress({at(0, 0, 10), at(1, 0, 10)}, 0.45);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].box.x1, 0);
}

// What greedy suppression is, written down without cleverness: take the best, strike out what it
// covers, repeat.
Detections suppress_slowly(Detections left, double limit) {
  Detections kept;
  while (!left.empty()) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
      if (left[i].score > left[best].score) best = i;
    const Detection winner = left[best];
    kept.push_back(winner);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
    Detections rest;
    for (const Detection& d : left)
      if (d.label != winner.label || iou(d.box, winner.box) <= limit) rest.push_back(d);
    left = rest;
  }
  return kept;
}

Detections random_detections(std::mt19937& random, std::size_t most) {
  std::uniform_int_distribution<int> place(0, 12), side(2, 8), label(0, 1), score(1, 9);
  Detections list(std::uniform_int_distribution<std::size_t>(0, most)(random));
  for (Detection& d : list) {
    d = at(static_cast<float>(place(random)), static_cast<float>(place(random)),
           static_cast<float>(side(random)), static_cast<float>(score(random)) / 10, label(random));
  }
  return list;
}

TEST(Suppress, IsItsSlowTwin) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const Detections list = random_detections(random, 20);
    const Detections fast = suppress(list, 0.3), slow = suppress_slowly(list, 0.3);
    ASSERT_EQ(fast.size(), slow.size());
    for (std::size_t i = 0; i < fast.size(); ++i) {
      EXPECT_EQ(fast[i].score, slow[i].score);
      EXPECT_EQ(fast[i].box.x1, slow[i].box.x1);
      EXPECT_EQ(fast[i].box.y2, slow[i].box.y2);
    }
  }
}

TEST(Match, CountsPairs) {
  const BoxMatches m = match({at(0, 0, 10), at(20, 0, 10), at(40, 0, 10, 1, 1)},
                             {at(1, 0, 10), at(1, 1, 10), at(40, 0, 10, 1, 2)}, 0.5);
  EXPECT_EQ(m.matched, 1u) << "two claim the same box, and a label is wrong";
  EXPECT_DOUBLE_EQ(*m.f1(), 2.0 / 6);
  EXPECT_DOUBLE_EQ(*m.precision(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(*m.recall(), 1.0 / 3);
}

TEST(Match, MovesAPairToMakeRoomForAnother) {
  // The first box fits both, the second one only the first.
  const Detections expected = {at(2, 0, 10), at(0, 0, 10)}, found = {at(1, 0, 10), at(5, 0, 10)};
  EXPECT_EQ(match(expected, found, 0.5).matched, 2u);
}

TEST(Match, NothingOnBothSidesIsNoFigure) {
  EXPECT_FALSE(match({}, {}, 0.5).f1());
  EXPECT_EQ(*match({at(0, 0, 1)}, {}, 0.5).f1(), 0);
  EXPECT_FALSE(match({at(0, 0, 1)}, {}, 0.5).precision());
}

// The largest number of pairs by trying all.
std::size_t most_pairs(const Detections& expected, const Detections& found, double least,
                       std::size_t e, std::vector<bool>& taken) {
  if (e == expected.size()) return 0;
  std::size_t most = most_pairs(expected, found, least, e + 1, taken);
  for (std::size_t f = 0; f < found.size(); ++f) {
    if (taken[f] || expected[e].label != found[f].label ||
        iou(expected[e].box, found[f].box) < least)
      continue;
    taken[f] = true;
    most = std::max(most, 1 + most_pairs(expected, found, least, e + 1, taken));
    taken[f] = false;
  }
  return most;
}

TEST(Match, IsTheLargestOfAllPairings) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    const Detections a = random_detections(random, 6), b = random_detections(random, 6);
    std::vector<bool> taken(b.size());
    EXPECT_EQ(match(a, b, 0.2).matched, most_pairs(a, b, 0.2, 0, taken));
    EXPECT_EQ(match(a, b, 0.2).matched, match(b, a, 0.2).matched);
  }
}

TEST(Match, MergingIsAdding) {
  BoxMatches sum = match({at(0, 0, 10)}, {at(0, 0, 10)}, 0.5);
  sum.merge(match({at(0, 0, 10)}, {}, 0.5));
  EXPECT_EQ(sum.expected, 2u);
  EXPECT_DOUBLE_EQ(*sum.f1(), 2.0 / 3);
}

}  // namespace
}  // namespace intaglio
