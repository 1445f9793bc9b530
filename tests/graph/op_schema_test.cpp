#include "lib/graph/op_schema.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lib/graph/op_schema_table.h"
#include "tests/support/text_model.h"

namespace intaglio {
namespace {

const OpSchema* schema(const std::string& node, int opset) {
  const Model model =
      testing::TextModel().opset(opset).model("(float[1,2,3,3] x) => (y) { y = " + node + " }");
  const Node* last = model.graph().nodes().back();
  return schema_of(*last);
}

TEST(OpSchema, IsThatOfTheNewestVersionUpToTheOpset) {
  EXPECT_EQ(schema("Relu(x)", 13)->since, 13);
  EXPECT_EQ(schema("Relu(x)", 12)->since, 6);
  EXPECT_EQ(schema("Gelu(x)", 19), nullptr);
  EXPECT_EQ(schema("Gelu(x)", 20)->since, 20);
  EXPECT_TRUE(schema("Upsample(x)", 10)->gone);
}

TEST(OpSchema, SaysWhatAConvTakes) {
  const OpSchema& conv = *schema("Conv(x, x)", 13);
  ASSERT_EQ(conv.inputs.size(), 3u);
  EXPECT_EQ(conv.least_inputs, 2u);
  EXPECT_EQ(conv.inputs[1].name, "W");
  EXPECT_FALSE(conv.inputs[1].optional);
  EXPECT_TRUE(conv.inputs[2].optional);
  EXPECT_EQ(conv.inputs[0].variable, conv.inputs[1].variable);
  EXPECT_TRUE(conv.inputs[0].allows(DType::f16));
  EXPECT_FALSE(conv.inputs[0].allows(DType::s8));
  EXPECT_EQ(conv.attribute("strides")->kind, 'I');
  EXPECT_FALSE(conv.attribute("strides")->required);
  EXPECT_EQ(conv.attribute("axis"), nullptr);
  EXPECT_EQ(conv.input(3), nullptr);
}

TEST(OpSchema, VariadicOnesHaveALeastNumber) {
  const OpSchema& concat = *schema("Concat <axis = 1> (x, x)", 13);
  EXPECT_EQ(concat.least_inputs, 1u);
  EXPECT_TRUE(concat.input(7)->variadic);
  EXPECT_TRUE(concat.input(7)->alike);
  EXPECT_TRUE(concat.attribute("axis")->required);
  const auto& all = op_schemas("");
  const auto loop = std::ranges::find(all, "Loop", &OpSchema::op);
  ASSERT_NE(loop, all.end());
  EXPECT_FALSE(loop->inputs.back().alike);
}

TEST(OpSchema, EveryLineOfTheTableIsRead) {
  for (const char* domain : {"", "ai.onnx.ml", "com.microsoft"}) {
    ASSERT_GT(op_schemas(domain).size(), 20u);
    for (const OpSchema& s : op_schemas(domain)) {
      EXPECT_GE(s.since, 1) << s.op;
      EXPECT_LE(s.since, newest_opset()) << s.op;
      EXPECT_FALSE(s.outputs.empty()) << s.op;
      EXPECT_LE(s.least_inputs, s.inputs.size() + 2) << s.op;
      for (const auto* list : {&s.inputs, &s.outputs})
        for (const Parameter& p : *list) {
          EXPECT_NE(p.types, 0u) << s.op << " " << p.name;
          EXPECT_FALSE(p.name.empty()) << s.op;
        }
    }
  }
}

// Tensors of element types that nobody knows are carried along.
TEST(OpSchema, AllowsNoTypeBeyondItsBits) {
  Parameter any;
  any.types = ~std::uint64_t{0};
  EXPECT_TRUE(any.allows(DType::f32));
  for (const int type : {64, 123, 255}) EXPECT_FALSE(any.allows(static_cast<DType>(type)));
}

}  // namespace
}  // namespace intaglio
