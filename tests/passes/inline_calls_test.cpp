#include "lib/base/error.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

const TextModel head = TextModel().opset(16).domain("local");

std::vector<Tensor> run_inlined(std::string_view graph, const std::vector<Tensor>& feeds) {
  Model model = head.model(graph);
  EXPECT_GT(run_pass("functions_inlined", model), 0);
  EXPECT_EQ(run_pass("functions_inlined", model), 0);
  EXPECT_EQ(model.function_count(), 0u);
  return Executor(model.graph()).run(feeds);
}

TEST(FunctionsInlined, FunctionsMayCallFunctionsAndNamesMayRepeat) {
  const auto y = run_inlined(R"((float[2] x) => (float[2] y) {
      t = local.twice (x)
      y = local.four_times_minus (t, x)
    }
    <domain: "local", opset_import: ["": 16]>
    twice (a) => (b) { t = Identity (a) b = Add (t, a) }
    <domain: "local", opset_import: ["": 16, "local": 1]>
    four_times_minus (a, c) => (d) { t = local.twice (a) u = local.twice (t) d = Sub (u, c) })",
                             {Tensor::of<float>({2}, {1, -3})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2}, {7, -21})));
}

TEST(FunctionsInlined, AttributesOfTheCallReplaceReferences) {
  const auto y = run_inlined(R"((float[2] x) => (float[2] y, float[2] z) {
      y = local.leak <slope = 0.5> (x)
      z = local.leak (x)
    }
    <domain: "local", opset_import: ["": 16]>
    leak <slope> (a) => (b) { b = LeakyRelu <alpha: float = @slope> (a) })",
                             {Tensor::of<float>({2}, {1, -2})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2}, {1, -1})));
  EXPECT_TRUE(close(y[1], Tensor::of<float>({2}, {1, -0.02f})));
}

TEST(FunctionsInlined, CallsInNestedGraphsAndOmittedInputs) {
  const auto y = run_inlined(R"((bool c, float[2] x) => (float[2] y) {
      y = If (c) <
        then_branch = yes () => (float[2] a) { a = local.bounded (x) },
        else_branch = no () => (float[2] x) { }
      >
    }
    <domain: "local", opset_import: ["": 16]>
    bounded (v, low) => (w) {
      high = Constant <value = float {1}> ()
      w = Clip (v, low, high)
    })",
                             {Tensor::scalar(true), Tensor::of<float>({2}, {-5, 5})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2}, {-5, 1})));
}

TEST(FunctionsInlined, RecursionIsRefused) {
  Model model = head.model(R"((float[2] x) => (float[2] y) { y = local.f (x) }
    <domain: "local", opset_import: ["": 16, "local": 1]>
    f (a) => (b) { b = local.h (a) }
    <domain: "local", opset_import: ["": 16, "local": 1]>
    h (a) => (b) { b = local.f (a) })");
  EXPECT_THROW(inline_functions(model), Error);
}

}  // namespace
}  // namespace intaglio::testing
