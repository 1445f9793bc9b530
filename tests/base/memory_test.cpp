#include "lib/base/memory.h"

#include <gtest/gtest.h>

namespace intaglio {
namespace {

// Puts the limit back when the test ends.
class Memory : public ::testing::Test {
 protected:
  ~Memory() override { set_memory_limit(before_); }

 private:
  std::size_t before_ = memory_limit();
};

TEST_F(Memory, TheLimitIsFourFifthsOfTheMachine) {
  EXPECT_EQ(memory_limit(), machine_memory() / 5 * 4);
}

TEST_F(Memory, WhatIsReleasedCanBeReservedAgain) {
  set_memory_limit(1000000);
  reserve_memory(600000);
  EXPECT_THROW(reserve_memory(600000), MemoryLimitReached);
  release_memory(600000);
  EXPECT_NO_THROW(reserve_memory(600000));
  release_memory(600000);
  EXPECT_THROW(reserve_memory(static_cast<std::size_t>(-1)), MemoryLimitReached);
}

TEST(HumanBytes, HaveThreeDigitsOrSo) {
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1500), "1.5 kB");
  EXPECT_EQ(human_bytes(3850000), "3.85 MB");
  EXPECT_EQ(human_bytes(12340000000), "12.34 GB");
}

}  // namespace
}  // namespace intaglio
