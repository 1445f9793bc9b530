// Models that come with Q/DQ.
#include "lib/rewrite/from_qdq.h"

#include <gtest/gtest.h>

#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

// As exports of quantization-aware training are: float weights behind a QuantizeLinear.
const char* fake_quantized =
    "(float[1,2,3,3] x) => (float[1,2,3,3] y) <float[2,2,1,1] w = {0.1,-0.2,0.3,0.4}, float[2] b = "
    "{0.5,-0.5},"
    " float s = {0.03}, uint8 z = {128}, float[2] ws = {0.002, 0.003}, int8[2] wz = {0, 0}>"
    "{ xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) wq = QuantizeLinear <axis = 0> "
    "(w, ws, wz)"
    "  wd = DequantizeLinear <axis = 0> (wq, ws, wz) c = Conv(xd, wd, b) q = QuantizeLinear(c, s, "
    "z)"
    "  y = DequantizeLinear(q, s, z) }";

Tensor run(const Model& model) {
  return Executor(model.graph()).run({{random_tensor({1, 2, 3, 3}, 2, -3, 3)}}).front();
}

TEST(FromQdq, FloatWeightsBecomeCodesAndTheResultStays) {
  Model model = model_of(fake_quantized);
  const Tensor before = run(model);
  EXPECT_EQ(store_quantized_constants(model), 1);
  EXPECT_EQ(model.graph().find("wq")->constant().to_vector<int>(),
            (std::vector{50, -100, 100, 127}));
  EXPECT_EQ(model.graph().find("w"), nullptr);
  EXPECT_TRUE(close(run(model), before, 0, 0));
}

TEST(FromQdq, ToOperatorsOnCodesAndBack) {
  Model model = model_of(fake_quantized);
  const Tensor before = run(model);
  const ConversionResult there = convert_quantized(model, OutputForm::qoperator, false);
  EXPECT_EQ(ops_of(model), "QuantizeLinear QLinearConv DequantizeLinear");
  EXPECT_EQ(there.stored, 1);
  EXPECT_TRUE(close(run(model), before, 0, 0.0301));
  const ConversionResult back = convert_quantized(model, OutputForm::qdq, false);
  EXPECT_EQ(back.expanded, 1);
  EXPECT_EQ(count(model, "Conv"), 1);
  EXPECT_TRUE(close(run(model), before, 0, 0.0301));
}

TEST(FromQdq, BrokenPairsAreRefused) {
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"float s = {0.03}", "float s = {0.0}"},
        {"float s = {0.03}", "float s = {-1.0}"},
        {"int8[2] wz = {0, 0}", "int8[3] wz = {0, 0, 0}"},
        {"float[2] ws = {0.002, 0.003}, int8[2] wz = {0, 0}",
         "float[3] ws = {0.002, 0.003, 1.0}, int8[3] wz = {0, 0, 0}"}}) {
    std::string text = fake_quantized;
    text.replace(text.find(from), from.size(), to);
    Model model = model_of(text);
    try {
      convert_quantized(model, OutputForm::qdq, false);
      ADD_FAILURE() << to << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::model) << e.what();
    }
  }
}

}  // namespace
}  // namespace intaglio::testing
