// Ranges as files for toolchains.
#include "lib/rewrite/ranges/ranges.h"

#include <gtest/gtest.h>

#include "lib/base/json.h"
#include "tests/rewrite/support.h"

namespace intaglio {
namespace {

using testing::model_of;

// x has a scale of 0.5 and zero point -28, y one of 0.25 that is symmetric; f stays float.
const char* graph =
    "(float[1,2,2,2] x) => (float[1,8] f)"
    "<float[2,2,1,1] w = {1,-2,3,4}>"
    "{ c = Conv(x, w) y = Relu(c) r = Flatten(y) f = Elu(r) }";

Plan plan_of_two(DType type = DType::s8) {
  Plan plan;
  const std::int32_t middle = type == DType::u8 ? 128 : 0;
  const auto add = [&](const std::string& name, float scale, std::int32_t zero_point) {
    ActivationPlan& activation = plan.activations.emplace_back();
    activation.name = activation.group = name;
    activation.scheme.type = type;
    activation.params = {type, std::nullopt, {scale}, {zero_point}};
  };
  for (const char* output : {"c", "y"}) {  // the Relu is fused into the Conv
    plan.nodes.emplace_back().output = output;
    plan.nodes.back().quantized = true;
  }
  add("x", 0.5f, middle - 28);
  add("y", 0.25f, middle);
  return plan;
}

std::string text_of(RangesFormat format, DType type = DType::s8) {
  const Model model = model_of(graph);
  return ranges_text(format, value_ranges(model.graph(), plan_of_two(type)));
}

TEST(Ranges, WhatIsMovedHasTheRangeOfItsSourceAndWhatHasNoneIsNamed) {
  const Model model = model_of(graph);
  const ValueRanges ranges = value_ranges(model.graph(), plan_of_two());
  std::vector<std::string> names;
  for (const ValueRange& value : ranges.values)
    names.push_back(value.name + "/" + value.op + (value.within ? " within" : ""));
  EXPECT_EQ(names, (std::vector<std::string>{"x/", "c/Conv within", "y/Relu", "r/Flatten"}));
  EXPECT_EQ(ranges.missing, (std::vector<std::string>{"f"}));
}

TEST(Ranges, SixteenBitsAreRefused) {
  const Model model = model_of(graph);
  try {
    value_ranges(model.graph(), plan_of_two(DType::s16));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unsupported);
    EXPECT_TRUE(testing::contains(e.what(), "'x'")) << e.what();
  }
}

TEST(Ranges, SophgoNamesTensorAndOperatorAndHasThresholds) {
  EXPECT_EQ(text_of(RangesFormat::sophgo),
            "# op_name    threshold    min    max\n"
            "x 77.5 -50 77.5\n"
            "y_Relu 31.75 -31.75 31.75\n"
            "r_Flatten 31.75 -31.75 31.75\n");
  EXPECT_EQ(text_of(RangesFormat::sophgo), text_of(RangesFormat::sophgo, DType::u8))
      << "the same values";
}

TEST(Ranges, TfliteHasTheValuesOfTheOutermostCodes) {
  const Json json = Json::parse(text_of(RangesFormat::tflite));
  EXPECT_EQ(json, Json::parse(R"({"x": {"min": -50.0, "max": 77.5},
                                  "y": {"min": -32.0, "max": 31.75},
                                  "r": {"min": -32.0, "max": 31.75}})"));
}

TEST(Ranges, RknnHasTheParametersOfEachTensor) {
  const std::string text = text_of(RangesFormat::rknn, DType::u8);
  EXPECT_TRUE(
      text.starts_with("custom_quantize_layers: {}\n"
                       "quantize_parameters:\n"
                       "    'x':\n"
                       "        qtype: asym\n"
                       "        qmethod: layer\n"
                       "        dtype: int8\n"
                       "        min:\n"
                       "        -   -50.0000000\n"
                       "        max:\n"
                       "        -   77.5000000\n"
                       "        scale:\n"
                       "        -   0.500000000\n"
                       "        zero_point:\n"
                       "        -   -28\n"))
      << text;
  EXPECT_TRUE(testing::contains(text, "\n    'c':\n")) << "of the Conv, as behind the Relu";
}

}  // namespace
}  // namespace intaglio
