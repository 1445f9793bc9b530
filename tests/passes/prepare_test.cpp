#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(Prepare, RepeatsUntilNothingChanges) {
  // The first round folds the Add and BatchNormalization, the second the Mul behind them.
  Model model = TextModel().opset(12).model(R"((float[1,2,3,3] x) => (float[1,2,3,3] y) {
      w = Constant <value = float[2,2,1,1] {1, 2, 3, 4}> ()
      c = Constant <value = float[1,2,1,1] {1, 2}> ()
      p = Constant <value = float[2] {1, 2}> ()
      a = Conv(x, w)
      b = Add(a, c)
      n = BatchNormalization(b, p, p, p, p)
      i = Identity(n)
      y = Mul(i, c)
    })");
  const std::vector feeds{random_tensor({1, 2, 3, 3})};
  const auto before = Executor(model.graph()).run(feeds);
  const auto counts = prepare(model);
  EXPECT_TRUE(close(Executor(model.graph()).run(feeds)[0], before[0], 1e-5, 1e-5));
  EXPECT_EQ(ops_of(model.graph()), "Conv");
  EXPECT_EQ(model.opset(), 13);
  EXPECT_EQ(counts.size(), preparation_passes().size());
  const auto count = [&](std::string_view name) {
    for (const PassCount& c : counts)
      if (c.name == name) return c.rewrites;
    return -1;
  };
  EXPECT_EQ(count("opset_raised"), 1);
  EXPECT_EQ(count("constants_folded"), 3);
  EXPECT_EQ(count("identities_dropped"), 1);
  EXPECT_EQ(count("bias_folded"), 2);
  EXPECT_EQ(count("batchnorm_folded"), 1);
  EXPECT_EQ(count("fp16_to_fp32"), 0);
  for (const PassCount& c : prepare(model)) EXPECT_EQ(c.rewrites, 0) << c.name;
}

// What forms of weights alone need, and nothing else: no other constant is folded.
TEST(Prepare, WeightsAloneLeaveTheGraph) {
  Model model = TextModel().opset(13).model(R"((float[1,2] x) => (float[1,2] y) {
      w = Constant <value = float[2,2] {1, 2, 3, 4}> ()
      t = Transpose <perm = [1,0]> (w)
      m = MatMul(x, t)
      y = Identity(m)
    })");
  const auto counts = prepare_weights(model, {.min_opset = 13});
  EXPECT_EQ(ops_of(model.graph()), "Transpose MatMul Identity");
  EXPECT_TRUE(model.graph().find("w")->is_constant()) << "under its own name";
  EXPECT_EQ(model.opset(), 13);
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_EQ(prepare_weights(model, {.min_opset = 21}).size(), 3U);
  EXPECT_EQ(model.opset(), 21);
}

TEST(Prepare, PassesHaveNamesAndHelp) {
  for (const Pass& pass : preparation_passes()) {
    EXPECT_FALSE(pass.name.empty());
    EXPECT_FALSE(pass.help.empty());
  }
}

}  // namespace
}  // namespace intaglio::testing
