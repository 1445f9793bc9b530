// Large blocks: apart from each other while they live, joined again when they are free.
#include "lib/tensor/large_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace intaglio {
namespace {

constexpr std::size_t mega = std::size_t{1} << 20;

struct Block {
  std::byte* data;
  std::size_t bytes;
  std::byte mark;
  bool intact() const {
    return std::all_of(data, data + bytes, [&](std::byte b) { return b == mark; });
  }
};

Block block(std::size_t bytes, int mark) {
  const Block b{take_large(bytes), bytes, static_cast<std::byte>(mark)};
  std::memset(b.data, mark, bytes);
  return b;
}

void take_and_give(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Block> blocks;
  for (int round = 0; round < 300; ++round) {
    if (blocks.size() < 12 && random() % 3 != 0) {
      blocks.push_back(block(large_block + random() % mega, round % 256));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back().data) % 64, 0u);
    } else if (!blocks.empty()) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      ASSERT_TRUE(blocks.back().intact());
      give_large(blocks.back().data, blocks.back().bytes);
      blocks.pop_back();
    }
  }
  for (const Block& b : blocks) {
    EXPECT_TRUE(b.intact());
    give_large(b.data, b.bytes);
  }
}

TEST(LargeHeap, BlocksStayApart) { take_and_give(1); }

TEST(LargeHeap, ThreadsShareIt) {
  std::vector<std::thread> threads;
  for (unsigned seed = 2; seed < 6; ++seed) threads.emplace_back(take_and_give, seed);
  for (std::thread& thread : threads) thread.join();
}

TEST(LargeHeap, FreeNeighboursJoin) {
  std::vector<std::byte*> small;
  for (int i = 0; i < 40; ++i) small.push_back(take_large(mega));
  const auto [low, high] = std::ranges::minmax(small);
  std::ranges::shuffle(small, std::mt19937(7));
  for (std::byte* data : small) give_large(data, mega);
  std::byte* whole = take_large(20 * mega);
  EXPECT_GE(whole, low);
  EXPECT_LE(whole, high);
  give_large(whole, 20 * mega);
}

TEST(LargeHeap, TheVeryLargestGoBackToTheSystem) {
  const Block b = block(80 * mega, 3);
  EXPECT_TRUE(b.intact());
  give_large(b.data, b.bytes);
  EXPECT_THROW(take_large(std::size_t{1} << 60), std::bad_alloc);
}

}  // namespace
}  // namespace intaglio
