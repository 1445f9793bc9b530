#include "lib/base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/progress.h"

namespace intaglio {
namespace {

TEST(ParallelFor, VisitsEachOnce) {
  for (const std::size_t count : {0, 1, 2, 7, 1000})
    for (const std::size_t threads : {0, 1, 2, 3, 16}) {
      std::vector<std::atomic<int>> visits(count);
      parallel_for(count, threads, [&](std::size_t, std::size_t i) { ++visits[i]; });
      for (const auto& v : visits) ASSERT_EQ(v, 1) << count << " on " << threads;
    }
}

TEST(ParallelFor, WorkersAreNumberedAndTheFirstIsTheCaller) {
  std::vector<std::set<std::thread::id>> ids(4);
  parallel_for(200, 4, [&](std::size_t worker, std::size_t) {
    ids.at(worker).insert(std::this_thread::get_id());
    std::this_thread::yield();
  });
  std::set<std::thread::id> all;
  for (const auto& of_one : ids) {
    EXPECT_LE(of_one.size(), 1u);
    all.insert(of_one.begin(), of_one.end());
  }
  for (const auto id : ids[0]) EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(ParallelFor, AnExceptionStopsTheRestAndIsRethrown) {
  for (const std::size_t threads : {1, 4}) {
    std::atomic<std::size_t> calls{0};
    try {
      parallel_for(100'000, threads, [&](std::size_t, std::size_t i) {
        ++calls;
        if (i == 10) throw Error(Code::data, "sample 10");
        // Long enough that the rest cannot be done before the one that throws has its turn.
        std::this_thread::sleep_for(std::chrono::microseconds(10));
      });
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::data);
      EXPECT_STREQ(e.what(), "sample 10");
    }
    EXPECT_LT(calls, 100'000u);
  }
}

TEST(ParallelFor, OfManyExceptionsTheOneWithTheLowestIndexWins) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::atomic<int> waiting{0};
    try {
      parallel_for(4, 4, [&](std::size_t, std::size_t i) {
        // All four have begun before the first one throws.
        for (++waiting; waiting < 4;) std::this_thread::yield();
        throw std::runtime_error(std::to_string(i));
      });
      FAIL();
    } catch (const std::runtime_error& e) {
      ASSERT_STREQ(e.what(), "0");
    }
  }
}

TEST(ParallelInOrder, TakesEveryResultOnceInOrder) {
  for (const std::size_t threads : {1u, 3u}) {
    std::vector<std::size_t> taken;
    parallel_in_order(
        100, threads,
        [](std::size_t i) {
          if (i % 7 == 0) std::this_thread::yield();
          return 2 * i;
        },
        [&](std::size_t i, std::size_t twice) {
          EXPECT_EQ(twice, 2 * i);
          taken.push_back(i);
        });
    ASSERT_EQ(taken.size(), 100u);
    EXPECT_TRUE(std::ranges::is_sorted(taken));
  }
}

TEST(ParallelInOrder, EndsWithAnErrorOfEither) {
  const auto half = [](std::size_t i) {
    if (i == 5) throw std::runtime_error("made");
    return i;
  };
  const auto none = [](std::size_t, std::size_t) { throw std::runtime_error("taken"); };
  EXPECT_THROW(parallel_in_order(9, 2, half, [](std::size_t, std::size_t) {}), std::runtime_error);
  EXPECT_THROW(parallel_in_order(
                   9, 2, [](std::size_t i) { return i; }, none),
               std::runtime_error);
}

// An interrupt lasts as long as the process: asked for in a child.
TEST(ParallelForDeathTest, AnInterruptEndsIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [] {
    std::atomic<int> calls{0};
    try {
      parallel_for(1000, 2, [&](std::size_t, std::size_t) {
        if (++calls == 5) request_interrupt();
      });
    } catch (const Error& e) {
      std::_Exit(calls < 1000 ? static_cast<int>(e.code()) : 1);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(130), "");
}

TEST(ThreadCount, IsAtLeastOneAndTheWishCounts) {
  EXPECT_EQ(thread_count(3), 3u);
  EXPECT_GE(thread_count(0), 1u);
  EXPECT_GE(thread_count(-1), 1u);
}

}  // namespace
}  // namespace intaglio
