// Passes must look into nested graphs, and at what these read of the graphs around them.
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

const TextModel text = TextModel().opset(16).graph(
    R"((int64 trips, bool c, float[2] x) => (float[2] last, float[N, 2] all, float[2] chosen) {
    one = Constant <value = float {1}> ()
    two = Add (one, one)
    same = Identity (x)
    unread = Neg (x)
    captured = Mul (same, two)
    last, all = Loop (trips, c, x) <
      body = b (int64 i, bool go, float[2] s) => (bool again, float[2] next, float[2] seen) {
        again = Identity (go)
        half = Constant <value = float {0.5}> ()
        quarter = Mul (half, half)
        scaled = Mul (s, quarter)
        unused = Exp (scaled)
        next = Add (scaled, captured)
        seen = Identity (next)
      }
    >
    chosen = If (c) <
      then_branch = yes () => (float[2] captured) { },
      else_branch = no () => (float[2] n) { t = Identity (same) n = Neg (t) }
    >
  })");

TEST(NestedGraphs, EveryPassKeepsWhatTheyCompute) {
  for (const bool go : {true, false}) {
    const std::vector<Tensor> feeds = {Tensor::scalar<std::int64_t>(3), Tensor::scalar(go),
                                       Tensor::of<float>({2}, {1, -2})};
    const Model kept =
        same_after({"constants_folded", "identities_dropped", "dead_dropped"}, text, feeds);
    EXPECT_EQ(ops_of(kept.graph()), "Mul Loop If");
    Model whole = text.model();
    const auto before = Executor(whole.graph()).run(feeds);
    prepare(whole);
    const auto after = Executor(whole.graph()).run(feeds);
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(close(after[i], before[i])) << i;
  }
}

}  // namespace
}  // namespace intaglio::testing
