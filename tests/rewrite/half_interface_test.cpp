#include "lib/rewrite/half_interface.h"

#include <gtest/gtest.h>

#include "lib/exec/executor.h"
#include "lib/graph/model.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

std::string ops_of(const Graph& graph) {
  std::string ops;
  for (const Node* node : graph.nodes()) ops += node->op() + " ";
  return ops;
}

TEST(HalfInterface, CastsStandAtTheEnds) {
  Model model = TextModel()
                    .opset(14)
                    .input("float[2,3] x, float[2,3] u, int64[1] k")
                    .output("float[2,3] y, float[2,3] z, float[2,3] x2")
                    .nodes("y = Relu(x) z = Add(y, x) x2 = Identity(x)")
                    .model();
  const Tensor x = convert(testing::random_tensor({2, 3}), DType::f16);
  const Tensor k = Tensor::vector<std::int64_t>({1});
  const auto before =
      Executor(model.graph()).run(std::vector{convert(x, DType::f32), convert(x, DType::f32), k});
  restore_half_interface(
      model.graph(),
      {{"x", DType::f16}, {"u", DType::f16}, {"y", DType::f16}, {"x2", DType::bf16}});
  const Graph& graph = model.graph();
  EXPECT_EQ(graph.find("x")->dtype(), DType::f16);
  EXPECT_EQ(graph.find("u")->dtype(), DType::f16) << "nothing reads it";
  EXPECT_EQ(graph.find("y")->dtype(), DType::f16);
  EXPECT_EQ(graph.find("z")->dtype(), DType::f32) << "it was float in the model";
  EXPECT_EQ(graph.find("x2")->dtype(), DType::bf16);
  const auto after = Executor(graph).run(std::vector{x, x, k});
  EXPECT_EQ(after[0].dtype(), DType::f16);
  EXPECT_TRUE(testing::close(convert(after[0], DType::f32), before[0], 1e-3));
  EXPECT_TRUE(testing::close(after[1], before[1])) << "what reads y inside reads it unrounded";
}

TEST(HalfInterface, IsThatOfTheModelGiven) {
  const Model model =
      TextModel().opset(14).model(R"((float16[2] x, float[2] u) => (float16[2] y, bfloat16[2] z) {
      y = Relu(x)
      z = Cast <to = 16> (u)
    })");
  EXPECT_EQ(half_interface(model.graph()),
            (HalfInterface{{"x", DType::f16}, {"y", DType::f16}, {"z", DType::bf16}}));
}

TEST(HalfInterface, CodesStayCodes) {
  Model model = TextModel().opset(14).model("(uint8[2] x) => (uint8[2] y) { y = Identity(x) }");
  restore_half_interface(model.graph(), {{"x", DType::f16}, {"y", DType::f16}});
  EXPECT_EQ(model.graph().find("x")->dtype(), DType::u8);
  EXPECT_EQ(ops_of(model.graph()), "Identity ");
}

// Nodes in float16 need no detour through float.
TEST(HalfInterface, JoinsWithCastsInside) {
  Model model = TextModel().opset(14).typed(R"((float[2] x) => (float[2] y) {
      h = Cast <to = 10> (x)
      r = Relu(h)
      y = Cast <to = 1> (r)
    })");
  restore_half_interface(model.graph(), {{"x", DType::f16}, {"y", DType::f16}});
  EXPECT_EQ(ops_of(model.graph()), "Relu ");
  EXPECT_EQ(model.graph().find("y")->dtype(), DType::f16);
}

}  // namespace
}  // namespace intaglio
