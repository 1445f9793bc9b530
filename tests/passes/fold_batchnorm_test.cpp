#include <fmt/format.h>

#include "lib/exec/infer.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

constexpr std::string_view parameters = R"(
      scale = Constant <value = float[4] {1, 0.5, -2, 3}> ()
      beta = Constant <value = float[4] {0.1, 0.2, 0.3, -0.4}> ()
      mean = Constant <value = float[4] {0.5, -0.5, 0.25, 0}> ()
      var = Constant <value = float[4] {1, 0.25, 4, 0.0001}> ()
      y = BatchNormalization <epsilon = 0.001> (a, scale, beta, mean, var))";

// A graph with weights, given by shape and filled reproducibly, in place of inputs after the first.
Model with_weights(const TextModel& text) {
  Model model = text.model();
  unsigned seed = 10;
  for (Value* value : std::vector<Value*>(model.graph().inputs())) {
    if (value->name() == "x") continue;
    Shape shape;
    for (const Dim& dim : *value->dims()) shape.push_back(dim.value);
    value->set_constant(random_tensor(shape, seed++));
    model.graph().drop_input(*value);
  }
  infer_types(model);
  return model;
}

void expect_folds(const std::string& producer, const std::string& weights, const Shape& input,
                  const std::string& op) {
  std::string x = fmt::format("float[{}] x", fmt::join(input, ","));
  Model model = with_weights(
      TextModel().input(x).input(weights).output("float y").nodes(producer).nodes(parameters));
  const std::vector feeds{random_tensor(input, 3)};
  model.graph().find("y")->set_type(DType::f32, std::nullopt);
  run_pass("constants_folded", model);
  const auto before = Executor(model.graph()).run(feeds);
  EXPECT_EQ(run_pass("batchnorm_folded", model), 1) << producer;
  EXPECT_EQ(ops_of(model.graph()), op);
  EXPECT_EQ(find_op(model.graph(), op)->output(0)->name(), "y");
  const auto after = Executor(model.graph()).run(feeds);
  EXPECT_TRUE(close(after[0], before[0], 1e-5, 1e-4)) << producer;  // 1/sqrt(var) is up to 30
}

TEST(BatchnormFolded, IntoConv) {
  expect_folds("a = Conv(x, w)", "float[4,3,2,2] w", {2, 3, 5, 5}, "Conv");
  expect_folds("a = Conv(x, w, b)", "float[4,3,1,1] w, float[4] b", {2, 3, 5, 5}, "Conv");
  expect_folds("a = Conv <group = 2> (x, w, b)", "float[4,3,1,1] w, float[4] b", {2, 6, 5, 5},
               "Conv");
  expect_folds("a = Conv(x, w)", "float[4,3,2] w", {2, 3, 5}, "Conv");
}

TEST(BatchnormFolded, IntoConvTranspose) {
  expect_folds("a = ConvTranspose(x, w)", "float[3,4,2,2] w", {2, 3, 5, 5}, "ConvTranspose");
  expect_folds("a = ConvTranspose <group = 2> (x, w, b)", "float[6,2,2,2] w, float[4] b",
               {1, 6, 3, 3}, "ConvTranspose");
}

TEST(BatchnormFolded, IntoGemm) {
  expect_folds("a = Gemm(x, w)", "float[3,4] w", {2, 3}, "Gemm");
  expect_folds("a = Gemm <transB = 1, beta = 0.5, alpha = 2.0> (x, w, b)",
               "float[4,3] w, float[4] b", {2, 3}, "Gemm");
  expect_folds("a = Gemm <transA = 1, beta = 3.0> (x, w, b)", "float[3,4] w, float[1] b", {3, 2},
               "Gemm");
  expect_folds("a = Gemm(x, w, b)", "float[3,4] w, float[1,4] b", {2, 3}, "Gemm");
}

TEST(BatchnormFolded, CopiesSharedWeights) {
  Model model = with_weights(
      R"((float[1,4,3,3] x, float[4,4,1,1] w, float[4] s) => (float[1,4,3,3] y, float[1,4,3,3] z) {
      a = Conv(x, w)
      y = BatchNormalization(a, s, s, s, one)
      one = Abs(s)
      z = Conv(x, w)
    })");
  const std::vector feeds{random_tensor({1, 4, 3, 3})};
  const auto before = Executor(model.graph()).run(feeds);
  run_pass("constants_folded", model);
  EXPECT_EQ(run_pass("batchnorm_folded", model), 1);
  const auto after = Executor(model.graph()).run(feeds);
  EXPECT_TRUE(close(after[0], before[0]));
  EXPECT_TRUE(close(after[1], before[1], 0, 0));
}

TEST(BatchnormFolded, KeepsWhereItCannot) {
  const auto kept = [](const std::string& body, const std::string& outputs = "float[1,4,3,3] y") {
    Model model =
        with_weights(TextModel()
                         .opset(14)
                         .input("float[1,4,3,3] x, float[4,4,1,1] w, float[4] s, float[4,4,1,1] v")
                         .output(outputs)
                         .nodes(body));
    return run_pass("batchnorm_folded", model) == 0;
  };
  const std::string bn = " y = BatchNormalization(a, s, s, s, s)";
  EXPECT_TRUE(kept("a = Relu(x)" + bn));
  EXPECT_TRUE(kept("a = Conv(x, w)" + bn, "float[1,4,3,3] y, float[1,4,3,3] a"));
  EXPECT_TRUE(kept("a = Conv(x, w) z = Relu(a)" + bn, "float[1,4,3,3] y, float[1,4,3,3] z"));
  EXPECT_TRUE(kept("k = Relu(w) a = Conv(x, k)" + bn));
  EXPECT_TRUE(
      kept("a = Conv(x, w) y, m, n = BatchNormalization <training_mode = 1> (a, s, s, s, s)"));
}

}  // namespace
}  // namespace intaglio::testing
