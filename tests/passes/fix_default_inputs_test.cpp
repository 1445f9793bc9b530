#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

// The text form has no initializers that are inputs: an input is given a value instead.
Model with_default(std::int64_t ir) {
  Model model =
      TextModel().ir(3).model("(float[2] x, float[2] w) => (float[2] y) { y = Add(x, w) }");
  model.set_ir_version(ir);
  model.graph().find("w")->set_constant(Tensor::of<float>({2}, {1, 2}));
  return model;
}

TEST(DefaultInputs, BecomeConstants) {
  Model model = with_default(3);
  EXPECT_EQ(model.graph().inputs().size(), 2u);
  EXPECT_EQ(run_pass("default_inputs", model), 1);
  EXPECT_EQ(model.graph().inputs().size(), 1u);
  EXPECT_TRUE(model.graph().find("w")->is_constant());
  EXPECT_EQ(model.ir_version(), 7);
  EXPECT_EQ(run_pass("default_inputs", model), 0);
}

TEST(DefaultInputs, KeepANewerIrVersion) {
  Model model = with_default(9);
  EXPECT_EQ(run_pass("default_inputs", model), 1);
  EXPECT_EQ(model.ir_version(), 9);
}

TEST(DefaultInputs, RaiseAnIrVersionThatKnowsNoPlainInitializers) {
  for (const auto& [before, after] : {std::pair{3, 7}, {4, 4}, {8, 8}}) {
    Model model = TextModel().model("(float[2] x) => (float[2] y) { y = Relu(x) }");
    model.set_ir_version(before);
    EXPECT_EQ(run_pass("default_inputs", model), 0);
    EXPECT_EQ(model.ir_version(), after);
  }
}

}  // namespace
}  // namespace intaglio::testing
