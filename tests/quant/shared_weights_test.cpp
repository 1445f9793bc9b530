// One set of scales for all that read a weight.
#include "lib/quant/shared_weights.h"

#include <gtest/gtest.h>

namespace intaglio {
namespace {

NodePlan node_with(std::string name, const Scheme& scheme, std::vector<float> scale) {
  NodePlan node{name, "Gemm", name + "_out", true, "", {}, {}};
  const std::size_t n = scale.size();
  node.constants.push_back(
      {1, "w", scheme, {scheme.type, scheme.axis, std::move(scale), std::vector(n, 0)}, ""});
  return node;
}

TEST(SharedWeights, TakeTheLargestScaleOfEachChannel) {
  const Scheme by_row{DType::s8, true, false, 0}, by_column{DType::s8, true, false, 1};
  Plan plan;
  plan.nodes = {node_with("a", by_row, {1, 5}), node_with("b", by_row, {2, 3}),
                node_with("c", by_column, {7, 9})};
  EXPECT_TRUE(unite_shared_weights(plan));
  EXPECT_EQ(plan.nodes[0].constants[0].params.scale, (std::vector<float>{2, 5}));
  EXPECT_EQ(plan.nodes[1].constants[0].params.scale, (std::vector<float>{2, 5}));
  EXPECT_EQ(plan.nodes[0].constants[0].raised, 1);
  EXPECT_EQ(plan.nodes[1].constants[0].raised, 1);
  EXPECT_EQ(plan.nodes[2].constants[0].params.scale, (std::vector<float>{7, 9}))
      << "other codes: their channels lie along another axis";
  EXPECT_FALSE(unite_shared_weights(plan)) << "they are one already";
}

TEST(SharedWeights, NodesThatStayFloatHaveNoSay) {
  const Scheme by_row{DType::s8, true, false, 0};
  Plan plan;
  plan.nodes = {node_with("a", by_row, {1, 5}), node_with("b", by_row, {2, 3})};
  plan.nodes[1].quantized = false;
  EXPECT_FALSE(unite_shared_weights(plan));
  EXPECT_EQ(plan.nodes[0].constants[0].params.scale, (std::vector<float>{1, 5}));
}

}  // namespace
}  // namespace intaglio
