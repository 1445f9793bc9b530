#include "lib/base/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "lib/base/parallel.h"

namespace intaglio {
namespace {

TEST(Team, PartsMakeUpTheWhole) {
  Team team(4);
  const Team::Use use(team);
  for (const std::int64_t count : {0, 1, 2, 7, 100, 1000})
    for (const std::int64_t least : {1, 3, 50}) {
      std::vector<std::atomic<int>> hits(static_cast<std::size_t>(count));
      split(count, least, [&](std::int64_t first, std::int64_t last) {
        EXPECT_LT(first, last);
        EXPECT_TRUE(last - first >= std::min(least, count));
        for (std::int64_t i = first; i < last; ++i) ++hits[static_cast<std::size_t>(i)];
      });
      for (const auto& h : hits) EXPECT_EQ(h, 1);
    }
}

TEST(Team, ManyLoopsInARow) {
  Team team(3);
  const Team::Use use(team);
  std::atomic<std::int64_t> sum{0};
  for (int i = 0; i < 5000; ++i) split(10, 1, [&](auto first, auto last) { sum += last - first; });
  EXPECT_EQ(sum, 50000);
}

TEST(Team, LoopsAfterAPause) {
  Team team(3);
  const Team::Use use(team);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));  // the others fall asleep
    std::atomic<std::int64_t> sum{0};
    split(64, 1, [&](auto first, auto last) { sum += last - first; });
    EXPECT_EQ(sum, 64);
  }
}

TEST(Team, WithoutOneTheLoopRunsAsAWhole) {
  int calls = 0;
  split(1000, 1, [&](auto first, auto last) {
    ++calls;
    EXPECT_EQ(first, 0);
    EXPECT_EQ(last, 1000);
  });
  EXPECT_EQ(calls, 1);
}

TEST(Team, ALoopInsideALoopIsNotSplit) {
  Team team(2);
  const Team::Use use(team);
  std::atomic<int> inner{0}, outer{0};
  split(4, 1, [&](auto, auto) {
    ++outer;
    EXPECT_EQ(team_in_use(), nullptr);
    split(100, 1, [&](auto, auto) { ++inner; });
  });
  EXPECT_EQ(inner, outer);
  EXPECT_EQ(team_in_use(), &team);
}

TEST(Team, AnExceptionIsRethrownAndTheTeamGoesOn) {
  Team team(2);
  const Team::Use use(team);
  for (int round = 0; round < 20; ++round)
    EXPECT_THROW(split(8, 1,
                       [](auto first, auto) {
                         if (first == 0) throw std::runtime_error("x");
                       }),
                 std::runtime_error);
  std::atomic<std::int64_t> sum{0};
  split(8, 1, [&](auto first, auto last) { sum += last - first; });
  EXPECT_EQ(sum, 8);
}

TEST(Team, ThreadsThatParallelForHasToSpareHelpInside) {
  std::vector<std::size_t> sizes(2);
  parallel_for(2, 6, [&](std::size_t, std::size_t i) { sizes[i] = team_in_use()->size(); });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3}));
  parallel_for(8, 4, [&](std::size_t, std::size_t) { EXPECT_EQ(team_in_use(), nullptr); });
}

}  // namespace
}  // namespace intaglio
