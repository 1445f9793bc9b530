// What the draft stores in codes beside what computes on them: recurrent weights, tables, constants
// on the left.
#include <gtest/gtest.h>

#include <set>

#include "lib/quant/draft.h"
#include "lib/quant/recurrent_cost.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

struct Drafted {
  Model model;
  Plan plan;
  const NodePlan& node(const std::string& op) const {
    for (const NodePlan& n : plan.nodes)
      if (n.op == op) return n;
    throw std::runtime_error("no " + op);
  }
  bool has_pair(const std::string& value) const { return plan.find(value) != nullptr; }
};

Drafted drafted(const std::string& text) {
  Model model = model_of(text);
  Plan plan = draft(model.graph(), onnxruntime_target());
  return {std::move(model), std::move(plan)};
}

std::string lstm(const std::string& steps, const std::string& outputs) {
  return "(float[" + steps +
         ",1,2] x) => (float[] y) <float[1,4,2] w = {1,2,3,4,-5,6,7,8}, "
         "float[1,4,1] r = {1,2,-3,4}> { t = Tanh(x) " +
         outputs + " = LSTM <hidden_size = 1> (t, w, r) }";
}

TEST(DraftWeights, RecurrentWeightsAreCodesAndTheirDataIsFloat) {
  for (const char* outputs : {"y", "all, y"}) {
    const Drafted d = drafted(lstm("64", outputs));
    const NodePlan& node = d.node("LSTM");
    EXPECT_TRUE(node.quantized) << outputs;
    EXPECT_EQ(node.reason, "weights alone: it computes on floats");
    ASSERT_EQ(node.constants.size(), 2u);
    EXPECT_EQ(node.constants[0].scheme.axis, 1) << "per gate row";
    EXPECT_FALSE(d.has_pair("t"));
    EXPECT_FALSE(d.has_pair("y"));
    EXPECT_FALSE(d.node("Tanh").quantized) << "only floats are read of it";
    EXPECT_EQ(warning_of_recurrence(*d.model.graph().find("y")->producer()), "")
        << "64 steps of one sequence are enough";
  }
}

TEST(DraftWeights, WhatDequantizingCostsIsNamedInAWarning) {
  for (const char* steps : {"4", "N"}) {
    const Drafted d = drafted(lstm(steps, "y"));
    const std::string warning = warning_of_recurrence(*d.model.graph().find("y")->producer());
    EXPECT_NE(warning.find("`exclude-op` LSTM"), std::string::npos) << steps;
  }
}

TEST(DraftWeights, AConstantOnTheLeftHasTheSchemeOfActivations) {
  const Drafted d = drafted(
      "(float[2,4] x) => (float[3,4] y) <float[3,2] a = {1,2,3,4,5,-6}> { t = MatMul(a, x) y = "
      "Relu(t) }");
  ASSERT_EQ(d.node("MatMul").constants.size(), 1u);
  const ConstantPlan& left = d.node("MatMul").constants[0];
  EXPECT_EQ(left.input, 0u);
  EXPECT_EQ(left.scheme.type, DType::u8);
  EXPECT_FALSE(left.scheme.symmetric);
  EXPECT_EQ(left.scheme.axis, std::nullopt);
}

std::string lookup(const std::string& behind) {
  return "(int64[1,3] ids) => (float[] y) <" + table_of_40_rows("e") +
         ", float[26,2] w = {1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,"
         "1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2}, float[2,3,1] f = {1,2,3,4,5,6}> "
         "{ g = Gather(e, ids) " +
         behind + " }";
}

TEST(DraftWeights, RowsOfATableThatAreQuantizedHaveTheCodesOfTheTable) {
  for (const char* behind :
       {"y = MatMul(g, w)", "t = Transpose <perm = [1, 0, 2]> (g) y = MatMul(t, w)"}) {
    const Drafted d = drafted(lookup(behind));
    const ConstantPlan& table = d.node("Gather").constants.at(0);
    EXPECT_EQ(table.group, "g") << behind;
    EXPECT_EQ(table.scheme.type, DType::u8);
    EXPECT_EQ(table.scheme.axis, std::nullopt);
    EXPECT_TRUE(d.has_pair("g"));
  }
}

TEST(DraftWeights, RowsThatSomebodyReadsAsFloatsKeepAScalePerColumn) {
  for (const char* behind : {"y = Erf(g)", "t = Erf(g) u = MatMul(g, w) y = ReduceSum(u)"}) {
    const Drafted d = drafted(lookup(behind));
    const ConstantPlan& table = d.node("Gather").constants.at(0);
    EXPECT_EQ(table.group, "") << behind;
    EXPECT_EQ(table.scheme.axis, 1);
  }
}

}  // namespace
}  // namespace intaglio::testing
