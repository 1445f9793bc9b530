#include "lib/tensor/buffer_pool.h"

#include <gtest/gtest.h>

#include <random>

#include "lib/tensor/arena_plan.h"
#include "lib/tensor/tensor.h"

namespace intaglio {
namespace {

TEST(ArenaPlan, BuffersInUseTogetherDoNotOverlap) {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<Lifetime> buffers(1 + random() % 40);
    std::size_t total = 0;
    for (Lifetime& b : buffers) {
      b.bytes = 64 * (1 + random() % 100);
      b.begin = random() % 50;
      b.end = b.begin + random() % 10;
      total += b.bytes;
    }
    const ArenaPlan plan = plan_arena(buffers);
    EXPECT_LE(plan.bytes, total);
    for (std::size_t i = 0; i < buffers.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) {
        const bool together =
            buffers[i].begin <= buffers[j].end && buffers[j].begin <= buffers[i].end;
        const bool apart = plan.offsets[i] + buffers[i].bytes <= plan.offsets[j] ||
                           plan.offsets[j] + buffers[j].bytes <= plan.offsets[i];
        EXPECT_TRUE(!together || apart) << i << " and " << j;
      }
  }
}

TEST(ArenaPlan, BuffersThatFollowOneAnotherShare) {
  const std::vector<Lifetime> chain = {{100, 0, 1}, {80, 1, 2}, {100, 2, 3}, {60, 3, 4}};
  EXPECT_EQ(plan_arena(chain).bytes, 180u);
}

#ifndef __SANITIZE_ADDRESS__
Tensor floats(std::int64_t count, float value) {
  Tensor t(DType::f32, {count});
  std::ranges::fill(t.mutate<float>(), value);
  return t;
}

// A run that makes a, b from a, c from b, and returns c.
Tensor run(BufferPool& pool, std::int64_t n, float value) {
  const BufferPool::Use use(pool);
  Tensor a = floats(n, value);
  Tensor b = floats(n, a.data<float>()[0] + 1);
  a = Tensor();
  Tensor scratch = floats(2 * n, 0);
  return floats(n, b.data<float>()[7] + 1);
}

TEST(BufferPool, LaterRunsAskForNoMore) {
  BufferPool pool;
  run(pool, 5000, 1);
  run(pool, 5000, 1);
  const std::size_t held = pool.bytes();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(run(pool, 5000, static_cast<float>(i)).data<float>()[4999], i + 2);
  EXPECT_EQ(pool.bytes(), held);
}

TEST(BufferPool, ResultsThatAreKeptStayAsTheyAre) {
  BufferPool pool;
  std::vector<Tensor> kept;
  for (int i = 0; i < 6; ++i)
    kept.push_back(run(pool, i % 2 == 0 ? 5000 : 7000, static_cast<float>(10 * i)));
  for (int i = 0; i < 6; ++i)
    for (const float v : kept[static_cast<std::size_t>(i)].data<float>()) ASSERT_EQ(v, 10 * i + 2);
}

TEST(BufferPool, BuffersOutliveThePool) {
  Tensor t;
  {
    BufferPool pool;
    for (int i = 0; i < 3; ++i) t = run(pool, 5000, 1);
  }
  EXPECT_EQ(t.data<float>()[0], 3);
}
#endif

}  // namespace
}  // namespace intaglio
