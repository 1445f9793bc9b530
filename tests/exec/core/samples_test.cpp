#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "lib/exec/samples.h"

namespace intaglio {
namespace {

// Samples whose label is their position.
Samples numbered(std::size_t count) {
  return {count, [](std::size_t) { return std::vector<Tensor>{}; },
          [](std::size_t i) { return static_cast<std::int64_t>(i); }};
}

std::vector<std::int64_t> taken(const Samples& samples) {
  std::vector<std::int64_t> positions;
  for (std::size_t i = 0; i < samples.count; ++i) positions.push_back(*samples.label(i));
  return positions;
}

TEST(Spread, TakesTheMiddlesOfEqualParts) {
  EXPECT_EQ(taken(spread(numbered(10), 2)), (std::vector<std::int64_t>{2, 7}));
  EXPECT_EQ(taken(spread(numbered(9), 3)), (std::vector<std::int64_t>{1, 4, 7}));
}

TEST(Spread, TakesAllWhenThereAreNoMore) {
  EXPECT_EQ(taken(spread(numbered(3), 3)), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(spread(numbered(3), 16).count, 3u);
}

TEST(Spread, NeverTakesOneTwice) {
  for (std::size_t of = 1; of < 40; ++of)
    for (std::size_t count = 1; count <= of; ++count) {
      const auto positions = taken(spread(numbered(of), count));
      EXPECT_EQ(std::set(positions.begin(), positions.end()).size(), count);
      EXPECT_LT(positions.back(), static_cast<std::int64_t>(of));
    }
}

TEST(EveryNth, AndTheOthersAreAllOfThem) {
  EXPECT_EQ(taken(every_nth(numbered(12), 5)), (std::vector<std::int64_t>{2, 7}));
  EXPECT_EQ(taken(without_every(numbered(7), 5)), (std::vector<std::int64_t>{0, 1, 3, 4, 5, 6}));
  for (std::size_t of = 0; of < 40; ++of) {
    std::vector<std::int64_t> all = taken(every_nth(numbered(of), 5));
    const auto others = taken(without_every(numbered(of), 5));
    EXPECT_TRUE(std::is_sorted(others.begin(), others.end()));
    all.insert(all.end(), others.begin(), others.end());
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, taken(numbered(of))) << of;
  }
}

}  // namespace
}  // namespace intaglio
