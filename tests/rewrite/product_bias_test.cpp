// What is added to a MatMul, so that the Gemm which the runtime makes of both runs on codes.
#include "lib/rewrite/product_bias.h"

#include <gtest/gtest.h>

#include "lib/exec/infer.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/rewrite/qdq.h"
#include "tests/rewrite/support.h"

namespace intaglio {
namespace {

using testing::count;
using testing::model_of;
using testing::plan_of;

Model written(const std::string& inputs, const std::string& nodes) {
  Model model = model_of("(" + inputs +
                         ") => (float[] y) <float[2,2] w = {1,-2,3,4}, float[2] b = {0.5,-0.25}, "
                         "float[1,2] row = {1,2}, float[3,1] column = {1,2,3}> {" +
                         nodes + "}");
  write_qdq(model, plan_of(model));
  infer_types(model);
  return model;
}

bool on_codes(const Model& model) {
  Model copy = model.clone();
  for (const IntegerDecision& d : fuse_integers(copy).nodes)
    if (d.op == "MatMul") return d.integer();
  return false;
}

void expect_same(const Model& before, const Model& after, const std::vector<Tensor>& feeds) {
  EXPECT_TRUE(testing::close(Executor(after.graph()).run(feeds).front(),
                             Executor(before.graph()).run(feeds).front(), 1e-4, 1e-4));
}

const std::string behind = " e = Erf(a) y = Relu(e)";

TEST(ProductBias, AConstantBiasIsStoredInStepsOfTheSums) {
  for (const char* bias : {"b", "row"}) {
    Model model =
        written("float[3,2] x", std::string("m = MatMul(x, w) a = Add(m, ") + bias + ")" + behind);
    EXPECT_FALSE(on_codes(model)) << bias;
    const Model before = model.clone();
    EXPECT_EQ(keep_products_on_codes(model), 1u);
    EXPECT_TRUE(on_codes(model)) << bias;
    const Value* a = model.graph().find("a");
    ASSERT_NE(a, nullptr);
    EXPECT_EQ(a->producer()->input(1)->producer()->input(0)->dtype(), DType::s32);
    expect_same(before, model, {testing::random_tensor({3, 2}, 1, -3, 3)});
  }
}

TEST(ProductBias, OtherOperandsThatWouldBeABiasAreSummed) {
  for (const char* sum : {"a = Add(m, z)", "a = Add(z, m)", "a = Add(m, column)"}) {
    Model model =
        written("float[3,2] x, float[3,2] z", std::string("m = MatMul(x, w) ") + sum +
                                                  " k = Add(a, z)" + " e = Erf(k) y = Relu(e)");
    EXPECT_FALSE(on_codes(model)) << sum;
    const Model before = model.clone();
    EXPECT_EQ(keep_products_on_codes(model), 1u);
    EXPECT_EQ(count(model, "Sum"), 1);
    EXPECT_TRUE(on_codes(model)) << sum;
    expect_same(
        before, model,
        {testing::random_tensor({3, 2}, 1, -3, 3), testing::random_tensor({3, 2}, 2, -3, 3)});
  }
}

TEST(ProductBias, WhatStaysAMatMulStaysAsItIs) {
  for (const auto& [inputs, nodes] :
       {std::pair{"float[N,3,2] x", "m = MatMul(x, w) a = Add(m, b)"},
        {"float[2,3,2] x, float[2,3,2] z", "m = MatMul(x, w) a = Add(m, z)"},
        {"float[3,2] x", "m = MatMul(x, w) a = Mul(m, b)"}}) {
    Model model = written(inputs, nodes + behind);
    EXPECT_TRUE(on_codes(model)) << nodes;
    EXPECT_EQ(keep_products_on_codes(model), 0u) << nodes;
  }
}

TEST(ProductBias, OfAnyRankWhereAllAxesAreKnown) {
  Model model = written("float[2,3,2] x", "m = MatMul(x, w) a = Add(m, b)" + behind);
  EXPECT_FALSE(on_codes(model));
  EXPECT_EQ(keep_products_on_codes(model), 1u);
  EXPECT_TRUE(on_codes(model));
}

}  // namespace
}  // namespace intaglio
