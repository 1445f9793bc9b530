// Target files: all of ours are right, and wrong ones say where.
#include "lib/quant/target.h"

#include <gtest/gtest.h>

#include <fstream>

#include "lib/quant/array.h"
#include "lib/quant/draft.h"
#include "lib/quant/target_rules.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

const char* names[] = {"onnxruntime",
                       "onnxruntime-avx2",
                       "onnxruntime-arm",
                       "tensorrt",
                       "openvino",
                       "qnn",
                       "stm32n6",
                       "tflite-like",
                       "ncnn",
                       "vitis-xint8",
                       "rknn",
                       "sophgo"};

Target ours(const std::string& name) {
  return read_target(testing::source_dir() / "configs" / (name + ".json"));
}

Target written(const std::string& body) {
  const auto path = testing::fresh_folder() / "t.json";
  std::ofstream(path) << "{\"name\": \"t\", \"description\": \"d\", " << body << "}";
  return read_target(path);
}

std::string refusal(const std::string& body) {
  try {
    written(body);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::config);
    return e.what();
  }
  return "accepted";
}

const std::string schemes =
    R"("activations": {"type": "s8", "symmetric": true}, "weights": {"type": "s8", "symmetric": true, "granularity": "channel"})";

TEST(Target, EveryFileIsReadAndAcceptsItself) {
  for (const char* name : names) {
    const Target target = ours(name);
    EXPECT_EQ(target.name, name);
    EXPECT_FALSE(target.description.empty());
    EXPECT_NO_THROW(require_accepted(target, "qdq")) << name;
  }
}

TEST(Target, MistakesNameTheirPlace) {
  const auto holds = [](const std::string& text, const std::string& word) {
    EXPECT_NE(text.find(word), std::string::npos) << text;
  };
  holds(refusal(schemes + R"(, "ops": {"Conv": {"role": "compute", "speed": 3}})"),
        "$.ops.Conv.speed: unknown key");
  holds(refusal(schemes + R"(, "ops": {}, "engine": "tpu")"), "'tpu' is not one of");
  holds(refusal(schemes + R"(, "ops": {}, "float16": {"TopK": 1})"), "$.float16.TopK");
  holds(
      refusal(
          schemes +
          R"(, "ops": {"Concat": {"role": "join", "fixed_output": {"scale": 1, "zero_point": 0}}})"),
      "fixed_output");
  holds(refusal(schemes + R"(, "ops": {"Elu": {"role": "activation", "fuses_into": ["Conv"],
      "float_into": ["Gemm"], "float_products": 32}})"),
        "$.ops.Elu.float_products: is of no use unless float_into has Conv");
  holds(refusal(schemes + R"(, "ops": {}, "composites": {"Selu": ["Conv"]})"),
        "$.composites.Selu: is none of Swish, Mish, Gelu");
  holds(refusal(schemes + R"(, "ops": {}, "last_opset": 12)"), "is less than opset");
  holds(refusal(schemes + R"(, "ops": {}, "shapes": "known")"), "'known' is not one of");
  holds(refusal(schemes + R"(, "ops": {"Add": {"role": "elementwise", "without_weights": "no"}})"),
        "$.ops.Add.without_weights: is for role compute");
  holds(refusal(schemes + R"(, "ops": {"Concat": {"role": "join", "wrong_with": {"types": ["i8"],
      "because": "x"}}})"),
        "'i8' is not an element type");
  holds(refusal(schemes + R"(, "ops": {"Conv": {"role": "compute", "min_scale": 1}})"),
        "min_scale");
  holds(refusal(schemes + R"(, "ops": {"Add": {"role": "elementwise", "min_scale": -1}})"),
        "$.ops.Add.min_scale: must be a finite number");
  const std::string accepts =
      R"(, "ops": {}, "accepts": {"forms": ["qdq"], "activations": {"types": ["u8"], "zero_point": "any"},
      "weights": {"types": ["s8"], "zero_point": "zero", "granularity": "channel"}, "bias": ["s32"]})";
  holds(refusal(schemes + accepts), "contradicts the schemes");
  std::string forms = accepts;
  forms.replace(forms.find("\"qdq\""), 5, "\"caffe\"");
  holds(refusal(schemes + forms), "'caffe' is none of");
}

TEST(Target, OptionsThatContradictItAreRefused) {
  Target target = ours("tensorrt");
  EXPECT_THROW(require_accepted(target, "qoperator"), Error);
  target.activations.type = DType::u8;
  EXPECT_THROW(require_accepted(target, "qdq"), Error);
  target = ours("tensorrt");
  target.activations.symmetric = false;
  EXPECT_THROW(require_accepted(target, "qdq"), Error);
}

// --- Rules that shape numbers

Plan plan_of(const Model& model, const Target& target) {
  Plan plan = draft(model.graph(), target);
  const Range range{-3, 5};
  for (auto& a : plan.activations)
    a.range = range, a.params = choose_qparams(std::span(&range, 1), a.scheme);
  for (auto& n : plan.nodes)
    for (auto& c : n.constants)
      c.params = choose_qparams(ranges_of(model.graph().find(c.name)->constant(), c.scheme.axis),
                                c.scheme);
  apply_target_rules(plan, model.graph(), target);
  return plan;
}

const char* conv =
    "(float[1,2,3,3] x) => (float[1,2,3,3] y) <float[2,2,1,1] w = {0.9,0.8,0.3,-0.4}, float[2] b = "
    "{0.5,-0.5}>"
    "{ c = Conv(x, w, b) y = Sigmoid(c) }";

TEST(TargetRules, AResultHasTheSmallestScaleThatTheKernelComputesRight) {
  Target target = ours("tflite-like");
  target.ops["Sigmoid"].fixed.reset();
  target.ops["Sigmoid"].min_scale = 0.5f;
  const Plan plan = plan_of(TextModel().typed(conv), target);
  EXPECT_EQ(plan.find("y")->params.scale[0], 0.5f);
  EXPECT_EQ(plan.find("y")->params.zero_point[0], -128 + 6) << "-3 keeps the lowest code";
  EXPECT_NE(plan.find("c")->params.scale[0], 0.5f);
  target.ops["Sigmoid"].min_scale = 0.01f;
  EXPECT_NE(plan_of(TextModel().typed(conv), target).find("y")->params.scale[0], 0.01f)
      << "it is larger";
}

TEST(TargetRules, ScalesArePowersOfTwoThatClipNothing) {
  const Model model = TextModel().typed(conv);
  const Plan plan = plan_of(model, ours("vitis-xint8"));
  for (const ActivationPlan& a : plan.activations) {
    EXPECT_EQ(a.params.scale.front(), 1.0f / 16) << "the next one above 5 / 127";
    EXPECT_EQ(a.params.zero_point.front(), 0);
  }
  const NodePlan& node = plan.nodes.front();
  EXPECT_EQ(node.constants[0].params.scale.front(), 1.0f / 128);
  EXPECT_EQ(node.bias->params.scale.front(), 1.0f / 16 / 128);
}

TEST(TargetRules, FixedOutputs) {
  const Model model = TextModel().typed(conv);
  const Plan plan = plan_of(model, ours("tflite-like"));
  EXPECT_EQ(plan.find("y")->params.scale.front(), 1.0f / 256);
  EXPECT_EQ(plan.find("y")->params.zero_point.front(), -128);
  EXPECT_NE(plan.find("x")->params.scale.front(), 1.0f / 256);
}

TEST(TargetRules, SaturatingProductsAndTheirBiases) {
  const Model model = TextModel().typed(conv);
  const Plan plain = plan_of(model, ours("onnxruntime")),
             careful = plan_of(model, ours("onnxruntime-avx2"));
  const auto &a = plain.nodes[0], &b = careful.nodes[0];
  EXPECT_GT(b.constants[0].params.scale[0], a.constants[0].params.scale[0])
      << "0.9 and 0.8 have one sign";
  EXPECT_EQ(b.constants[0].params.scale[1], a.constants[0].params.scale[1])
      << "0.3 and -0.4 do not";
  EXPECT_EQ(b.constants[0].raised, 1);
  EXPECT_GT(b.bias->params.scale[0], a.bias->params.scale[0]);
}

TEST(TargetRules, FloatBiases) {
  const Model model = TextModel().typed(conv);
  EXPECT_FALSE(plan_of(model, ours("tensorrt")).nodes.front().has_integer_bias());
  EXPECT_TRUE(plan_of(model, ours("qnn")).nodes.front().bias.has_value());
}

}  // namespace
}  // namespace intaglio
