#include "lib/passes/opset/rank.h"

#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(KnownRank, FollowsHowAValueIsMade) {
  Model model = TextModel().model(
      R"((float[N,3] x, int64[5] target, int64[M] open, float[2,2] m) => (float y) {
      a = Reshape(x, target)
      b = Transpose <perm = [2, 0, 3, 1, 4]> (a)
      zero = Constant <value = int64[1] {0}> ()
      c = Squeeze(b, zero)
      d = MatMul(c, m)
      e = Unsqueeze <axes = [0, 1]> (d)
      u = Reshape(x, open)
      v = Add(u, e)
      y = Mul(e, e)
    })");
  const auto rank = [&](const char* name) { return known_rank(*model.graph().find(name)); };
  EXPECT_EQ(rank("x"), 2);
  EXPECT_EQ(rank("a"), 5);
  EXPECT_EQ(rank("b"), 5);
  EXPECT_EQ(rank("c"), 4);
  EXPECT_EQ(rank("d"), 4);
  EXPECT_EQ(rank("e"), 6);
  EXPECT_EQ(rank("u"), -1);
  EXPECT_EQ(rank("v"), -1);
}

}  // namespace
}  // namespace intaglio::testing
