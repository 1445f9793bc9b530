#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(DeadDropped, ChainsAndConstants) {
  const Model model =
      same_after({"dead_dropped"}, R"((float[2] x, float[2] unused) => (float[2] y) {
      y = Relu(x)
      a = Neg(x)
      b = Exp(a)
      c = Constant <value = float[2] {1, 2}> ()
    })",
                 {random_tensor({2}), random_tensor({2})});
  EXPECT_EQ(ops_of(model.graph()), "Relu");
  EXPECT_EQ(model.graph().inputs().size(), 2u);
  EXPECT_EQ(model.graph().values().size(), 3u);
}

TEST(DeadDropped, InitializersThatNothingReads) {
  Model model = TextModel().model("(float[2] x) => (float[2] y) { y = Relu(x) }");
  model.graph().add_constant("left", Tensor::scalar(1.0f));
  EXPECT_EQ(run_pass("dead_dropped", model), 1);
  EXPECT_EQ(model.graph().find("left"), nullptr);
}

TEST(DeadDropped, NestedGraphsKeepWhatTheyRead) {
  Model model = TextModel().model(R"((bool c, float[2] x) => (float[2] y) {
      a = Neg(x)
      lost = Exp(x)
      y = If (c) <
        then_branch = t () => (float[2] p) { p = Neg(a) dead = Exp(lost) },
        else_branch = e () => (float[2] q) { q = Identity(a) }>
      z = If (c) <
        then_branch = t2 () => (float[2] p2) { p2 = Neg(a) },
        else_branch = e2 () => (float[2] q2) { q2 = Identity(a) }>
    })");
  EXPECT_EQ(run_pass("dead_dropped", model), 3);
  EXPECT_EQ(ops_of(model.graph()), "Neg If");
  EXPECT_EQ(ops_of(find_op(model.graph(), "If")->attr_graph("then_branch")), "Neg");
}

}  // namespace
}  // namespace intaglio::testing
