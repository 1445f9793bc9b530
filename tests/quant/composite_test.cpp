// Composite activations: which formulas are known, and what must not be around them.
#include "lib/quant/composite.h"

#include <gtest/gtest.h>

#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

// The nodes, between a Conv that makes c and the result y.
Model behind_conv(const std::string& nodes, const std::string& outputs = "float[1,2,3,3] y") {
  return TextModel().opset(18).typed(
      "(float[1,2,3,3] x) => (" + outputs +
      ") <float[2,2,1,1] w = {1,-2,3,4}, float half = {0.5}, float one = {1}, float root = "
      "{1.4142135}, float inverse = {0.70710677}, float other = {1.702}>"
      "{ c = Conv(x, w) " +
      nodes + " }");
}

// "Swish 2": the composite that reads c, and how many nodes it has; "": none.
std::string found(const std::string& nodes, const std::string& outputs = "float[1,2,3,3] y") {
  const Model model = behind_conv(nodes, outputs);
  const auto composite = composite_reading(*model.graph().find("c"));
  if (!composite) return "";
  EXPECT_EQ(composite->last->output(0)->name(), "y");
  for (const Node* node : composite->nodes) {
    const auto holding = composite_holding(*node);
    EXPECT_TRUE(holding && holding->last == composite->last) << node->label();
  }
  return std::string(composite->name) + " " + std::to_string(composite->nodes.size());
}

TEST(Composite, FormulasAreKnownInEveryOrder) {
  EXPECT_EQ(found("s = Sigmoid(c) y = Mul(c, s)"), "Swish 2");
  EXPECT_EQ(found("s = Sigmoid(c) y = Mul(s, c)"), "Swish 2");
  EXPECT_EQ(found("s = Softplus(c) t = Tanh(s) y = Mul(c, t)"), "Mish 3");
  const std::string erf = "d = Div(c, root) e = Erf(d) a = Add(e, one) ";
  EXPECT_EQ(found(erf + "m = Mul(c, a) y = Mul(m, half)"), "Gelu 5");
  EXPECT_EQ(found(erf + "h = Mul(half, a) y = Mul(c, h)"), "Gelu 5");
  EXPECT_EQ(found("h = Mul(c, half) d = Mul(c, inverse) e = Erf(d) a = Add(one, e) y = Mul(h, a)"),
            "Gelu 5");
}

TEST(Composite, OtherFormulasAndValuesWithOtherReadersAreNone) {
  EXPECT_EQ(found("k = Mul(c, other) s = Sigmoid(k) y = Mul(c, s)"), "") << "QuickGelu";
  EXPECT_EQ(found("s = HardSigmoid(c) y = Mul(c, s)"), "");
  EXPECT_EQ(found("s = Sigmoid(c) y = Mul(c, s) z = Neg(s)", "float[1,2,3,3] y, float[1,2,3,3] z"),
            "")
      << "what is inside is read outside";
  EXPECT_EQ(found("s = Sigmoid(c) y = Mul(c, s)", "float[1,2,3,3] y, float[1,2,3,3] s"), "");
  EXPECT_EQ(found("s = Sigmoid(c) y = Mul(c, s)", "float[1,2,3,3] y, float[1,2,3,3] c"), "");
}

const NodePlan& plan_for(const Plan& plan, const std::string& output) {
  for (const NodePlan& node : plan.nodes)
    if (node.output == output) return node;
  throw std::logic_error(output);
}

TEST(Composite, NoPairStandsInsideOneThatTheTargetComputesWithItsProducer) {
  const Model model = behind_conv("s = Sigmoid(c) m = Mul(c, s) y = Conv(m, w)");
  const auto drafted = [&](const std::string& target, const Selection& selection = {}) {
    return draft(model.graph(), read_target(testing::source_dir() / "configs" / (target + ".json")),
                 selection);
  };
  const Plan fused = drafted("openvino");
  EXPECT_EQ(fused.find("c"), nullptr);
  EXPECT_EQ(fused.find("s"), nullptr);
  EXPECT_NE(fused.find("m"), nullptr);
  EXPECT_TRUE(plan_for(fused, "s").quantized);
  EXPECT_EQ(plan_for(fused, "m").reason, "fused into Conv");
  const Plan apart = drafted("onnxruntime");
  EXPECT_NE(apart.find("c"), nullptr);
  // A part that is excluded leaves the others float, and the product its codes.
  Selection selection;
  selection.exclude_ops = {"Sigmoid"};
  const Plan left = drafted("openvino", selection);
  EXPECT_FALSE(plan_for(left, "m").quantized);
  EXPECT_FALSE(plan_for(left, "s").quantized);
  EXPECT_TRUE(plan_for(left, "c").quantized);
}

}  // namespace
}  // namespace intaglio
