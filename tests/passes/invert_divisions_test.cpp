#include <gtest/gtest.h>

#include "lib/passes/list.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

int inverted(const std::string& divisor, const std::string& nodes) {
  Model model =
      TextModel().model("(float[2,3] x) => (float[2,3] y) <float d = {" + divisor +
                        "}, float three = {3}, float lo = {0}, float hi = {6}> {" + nodes + "}");
  const std::vector<Tensor> feeds = {random_tensor({2, 3}, 1, -6, 6)};
  const Tensor before = Executor(model.graph()).run(feeds).front();
  const int rewrites = invert_divisions(model, {});
  EXPECT_TRUE(close(Executor(model.graph()).run(feeds).front(), before, 1e-6, 0)) << nodes;
  return rewrites;
}

TEST(DivisionsInverted, OfProductsAndOfWhatIsClipped) {
  EXPECT_EQ(inverted("6", "a = Add(x, three) c = Clip(a, lo, hi) m = Mul(x, c) y = Div(m, d)"), 1);
  EXPECT_EQ(inverted("6", "a = Add(x, three) c = Clip(a, lo, hi) g = Div(c, d) y = Mul(x, g)"), 1);
}

TEST(DivisionsInverted, OthersStay) {
  EXPECT_EQ(inverted("1.4142135", "e = Div(x, d) y = Erf(e)"), 0);
  EXPECT_EQ(inverted("0", "m = Mul(x, x) n = Abs(m) o = Add(n, three) p = Div(o, d) y = Tanh(p)"),
            0);
  EXPECT_EQ(inverted("2", "m = Mul(x, x) a = Add(m, three) k = Relu(x) y = Div(m, a)"), 0)
      << "computed";
}

}  // namespace
}  // namespace intaglio::testing
