// TFLite files against the Q/DQ models that they are made of.
#include "lib/tflite/write.h"

#include "lib/exec/registry.h"
#include "lib/tflite/op_table.h"
#include "tests/tflite/support.h"

namespace intaglio::testing {
namespace {

const QParams four{DType::s8, std::nullopt, {8.0F / 255}, {0}};  // [-4, 4]

const char* conv =
    "(float[1,2,4,4] x) => (float[1,3,4,4] y)"
    "<float[3,2,1,1] w = {0.1,-0.2,0.3,0.4,1.0,-0.5}, float[3] b = {0.5,-0.5,0.25}>"
    "{ y = Conv(x, w, b) }";

const Value& made_by(const Model& model, std::string_view op) {
  for (const Node* node : model.graph().nodes())
    if (node->is(op)) return *node->output(0);
  throw std::logic_error("no such node");
}

TEST(TfliteFile, HasTheIdentifierAndTheVersionOfTheFormat) {
  const ReadFile file(in_pairs(conv));
  EXPECT_EQ(file.file().bytes.substr(4, 4), "TFL3");
  EXPECT_EQ(file.model().version, 3u);
  EXPECT_TRUE(file.model().buffers.front()->data.empty());
  EXPECT_EQ(file.ops(), "QUANTIZE CONV_2D DEQUANTIZE");
  EXPECT_EQ(tflite_file(in_pairs(conv)).bytes, file.file().bytes) << "the same bytes every time";
}

TEST(TfliteFile, HoldsTheCodesScalesAndZeroPointsOfThePairs) {
  const Model model = in_pairs(conv);
  const ReadFile file(model);
  const fb::OperatorT& op = file.op(fb::Op::CONV_2D);
  const Node& node = *made_by(model, "Conv").producer();
  const Node &weight = *node.input(1)->producer(), &bias = *node.input(2)->producer();
  expect_params(file.input(op, 0), four);
  expect_params(file.output(op), four);
  const fb::TensorT& stored = file.input(op, 1);
  EXPECT_EQ(stored.shape, (std::vector<std::int32_t>{3, 1, 1, 2}));
  EXPECT_EQ(stored.quantization->quantized_dimension, 0);
  EXPECT_EQ(stored.quantization->scale, weight.input(1)->constant().to_vector<float>());
  EXPECT_EQ(file.values<std::int8_t>(stored), weight.input(0)->constant().to_vector<std::int8_t>());
  const fb::TensorT& units = file.input(op, 2);
  EXPECT_EQ(units.quantization->scale, bias.input(1)->constant().to_vector<float>());
  EXPECT_EQ(file.values<std::int32_t>(units), bias.input(0)->constant().to_vector<std::int32_t>());
  EXPECT_EQ(file.code_of(op).version, 3);
}

TEST(TfliteFile, ImagesHaveTheirChannelsLast) {
  const ReadFile file(in_pairs(conv));
  ASSERT_EQ(file.file().inputs.size(), 1u);
  EXPECT_EQ(file.file().inputs[0].shape, (Shape{1, 4, 4, 2}));
  EXPECT_TRUE(file.file().inputs[0].channels_last);
  EXPECT_EQ(file.file().outputs[0].shape, (Shape{1, 4, 4, 3}));
  EXPECT_EQ(file.model().signatures[0]->inputs[0]->name, "x");
  EXPECT_EQ(file.file().transposes, 0u);
}

TEST(TfliteFile, DepthwiseFiltersLieInOneImage) {
  const ReadFile file(
      in_pairs("(float[1,2,5,5] x) => (y) <float[4,1,1,2] w = {1,2,3,4,5,6,7,8}>"
               "{ y = Conv<group = 2>(x, w) }"));
  const fb::OperatorT& op = file.op(fb::Op::DEPTHWISE_CONV_2D);
  EXPECT_EQ(op.options.AsDepthwiseConv2DOptions()->depth_multiplier, 2);
  const fb::TensorT& filters = file.input(op, 1);
  EXPECT_EQ(filters.shape, (std::vector<std::int32_t>{1, 1, 2, 4}));
  EXPECT_EQ(filters.quantization->quantized_dimension, 3);
  // The largest of each channel is its second column.
  const auto codes = file.values<std::int8_t>(filters);
  EXPECT_EQ(std::vector<std::int8_t>(codes.begin() + 4, codes.end()),
            std::vector<std::int8_t>(4, 127));
  EXPECT_EQ(file.values<std::int32_t>(file.input(op, 2)), std::vector<std::int32_t>(4, 0))
      << "a bias of zeros, which readers want";
}

TEST(TfliteFile, PadsThatAreNeitherSameNorValidAreAnOperator) {
  const std::string head = "(float[1,1,6,6] x) => (y) <float[1,1,3,3] w = {1,2,3,4,5,6,7,8,9}>";
  EXPECT_EQ(ReadFile(in_pairs(head + "{ y = Conv<pads = [1,1,1,1]>(x, w) }")).ops(),
            "QUANTIZE CONV_2D DEQUANTIZE");
  const ReadFile strided(in_pairs(head + "{ y = Conv<pads = [1,1,1,1], strides = [2,2]>(x, w) }"));
  EXPECT_EQ(strided.ops(), "QUANTIZE PAD CONV_2D DEQUANTIZE") << "SAME would pad behind alone";
  const fb::OperatorT& pad = strided.op(fb::Op::PAD);
  EXPECT_EQ(strided.values<std::int32_t>(strided.input(pad, 1)),
            (std::vector<std::int32_t>{0, 0, 1, 0, 1, 0, 0, 0}));
  const ReadFile pool(
      in_pairs("(float[1,1,6,6] x) => (y) <float[1,1,1,1] w = {1.0}>"
               "{ c = Conv(x, w) y = MaxPool<kernel_shape = [3,3], pads = [1,1,1,1], "
               "strides = [2,2]>(c) }"));
  EXPECT_EQ(pool.ops(), "QUANTIZE CONV_2D PADV2 MAX_POOL_2D DEQUANTIZE") << "by the lowest code";
}

TEST(TfliteFile, ActivationsThatCodesDoAreNoOperator) {
  const auto activation = [](const std::string& act) {
    const ReadFile file(
        in_pairs("(float[1,2,4,4] x) => (y)"
                 "<float[2,2,1,1] w = {1,2,3,4}, float lo = {0.0}, "
                 "float two = {2.0}, float six = {6.0}>"
                 "{ c = Conv(x, w) y = " +
                 act + " }"));
    return std::pair(file.ops(), file.op(fb::Op::CONV_2D).options.AsConv2DOptions()->activation);
  };
  const std::string alone = "QUANTIZE CONV_2D DEQUANTIZE";
  EXPECT_EQ(activation("Relu(c)").first, alone);
  EXPECT_EQ(activation("Clip(c, lo, six)").first, alone);
  EXPECT_EQ(activation("Clip(c, lo, two)").first, "QUANTIZE CONV_2D MAXIMUM MINIMUM DEQUANTIZE");
}

TEST(TfliteFile, RowsOfAnImageMeetWeightsInTheOrderOfTheImage) {
  const Model model = in_pairs(
      "(float[1,2,1,2] x) => (y) <float[2,2,1,1] k = {1,0,0,1}, float[4,1] w = {1,2,3,4}>"
      "{ c = Conv(x, k) f = Flatten(c) y = MatMul(f, w) }");
  const ReadFile file(model);
  EXPECT_EQ(file.ops(), "QUANTIZE CONV_2D RESHAPE FULLY_CONNECTED DEQUANTIZE");
  // Columns (c, w) 00 01 10 11 are stored as 00 10 01 11.
  EXPECT_EQ(file.values<std::int8_t>(file.input(file.op(fb::Op::FULLY_CONNECTED), 1)),
            (std::vector<std::int8_t>{32, 95, 64, 127}));
}

TEST(TfliteFile, TransposesOfTheModelMoveNothing) {
  const ReadFile file(in_pairs(
      "(float[1,4,4,2] x) => (y) <float[3,2,1,1] w = {1,2,3,4,5,6}>"
      "{ t = Transpose<perm = [0,3,1,2]>(x) c = Conv(t, w) y = Transpose<perm = [0,2,3,1]>(c) }"));
  EXPECT_EQ(file.ops(), "QUANTIZE CONV_2D DEQUANTIZE");
  EXPECT_FALSE(file.file().inputs[0].channels_last) << "the model has them last itself";
}

TEST(TfliteFile, WhatIsLeftFloatStandsBetweenConversions) {
  Selection selection;
  selection.exclude = {"second"};
  Model model = model_of(
      "(float[1,2,4,4] x) => (y) <float[2,2,1,1] w = {1,2,3,4}, float[2,2,1,1] v = {1,2,3,4}>"
      "{ c = Conv(x, w) d = Conv(c, v) y = Conv(d, w) }");
  model.graph().find("d")->producer()->set_name("second");
  write_qdq(model, plan_of(model, tflite_target(), selection));
  infer_types(model);
  const ReadFile file(model);
  EXPECT_EQ(file.ops(), "QUANTIZE CONV_2D DEQUANTIZE CONV_2D QUANTIZE CONV_2D DEQUANTIZE");
  ASSERT_EQ(file.file().in_float.size(), 1u);
  EXPECT_EQ(file.file().in_float[0].node, "Conv node 'second'");
  EXPECT_EQ(file.file().in_float[0].reason, "its input 'v' is not quantized");
}

TEST(TfliteFile, TheTableOfOperatorsIsSortedAndEachIsAnOperatorOfOnnx) {
  const auto rows = tflite::op_rows();
  EXPECT_TRUE(std::ranges::is_sorted(rows, {}, &tflite::OpRow::op));
  for (const tflite::OpRow& row : rows)
    EXPECT_TRUE(std::ranges::any_of(default_registry().all(), [&](const KernelDef& def) {
      return def.op == row.op;
    })) << row.op;
}

TEST(TfliteFile, OtherFixedResultsMakeFloatOperators) {
  Model model = in_pairs("(float[1,8] x) => (y) { y = Softmax(x) }");
  const Node& quantize = *model.graph().outputs()[0]->producer()->input(0)->producer();
  EXPECT_EQ(ReadFile(model).ops(), "QUANTIZE DEQUANTIZE SOFTMAX QUANTIZE DEQUANTIZE")
      << "a result in [-4, 4]";
  quantize.input(1)->set_constant(Tensor::scalar(1.0F / 256));
  quantize.input(2)->set_constant(Tensor::scalar(std::int8_t{-128}));
  EXPECT_EQ(ReadFile(model).ops(), "QUANTIZE SOFTMAX DEQUANTIZE");
}

TEST(TfliteFile, CodesOfU8BecomeThoseOfS8) {
  Model model = model_of(
      "(float[1,2,4,4] x) => (y) <float[2,2,1,1] w = {1,2,3,4}> "
      "{ y = Conv(x, w) }");
  write_qdq(model, plan_of(model));  // for onnxruntime: u8
  const ReadFile file(model);
  EXPECT_EQ(file.ops(), "QUANTIZE CONV_2D DEQUANTIZE");
  const fb::TensorT& input = file.input(file.op(fb::Op::CONV_2D), 0);
  EXPECT_EQ(input.type, fb::TensorType::INT8);
  EXPECT_EQ(input.quantization->zero_point, std::vector<std::int64_t>{0});
}

// --- Refusals

std::string refusal(const Model& model) {
  try {
    tflite_file(model);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unsupported);
    EXPECT_FALSE(e.remedy().empty());
    return e.what();
  }
  return "none";
}

TEST(TfliteFile, RefusesWhatTfliteLacks) {
  const auto of = [](const std::string& text, int opset = 13) {
    return refusal(model_of(text, opset));
  };
  EXPECT_NE(of("(float[1,4] x) => (y) { y = Erf(x) }").find("Erf node making 'y'"),
            std::string::npos);
  EXPECT_NE(of("(float[1,2,4,4] x) => (y) <float[2,1,1,1] w = {1,2}>"
               "{ y = ConvTranspose<group = 2>(x, w) }")
                .find("groups"),
            std::string::npos);
  EXPECT_NE(of("(float[1,2,4,4] x) => (y) { y = AveragePool<kernel_shape = [3,3], "
               "pads = [1,1,1,1], strides = [2,2]>(x) }")
                .find("pads"),
            std::string::npos);
  EXPECT_NE(of("(float[1,2,4,4] x) => (y) <float[0] r = {}, float[4] s = {1.0,1.0,2.0,2.0}>"
               "{ y = Resize<mode = \"cubic\">(x, r, s) }")
                .find("cubic"),
            std::string::npos);
  EXPECT_NE(of("(float[1,2,3,4,4] x) => (y) <float[1,2,1,1,1] w = {1,2}> { y = Conv(x, w) }")
                .find("rank 5"),
            std::string::npos);
}

TEST(TfliteFile, AnOpenBatchIsOneAndOtherLengthsMustBeKnown) {
  const std::string body = " <float[2,2,1,1] w = {1,2,3,4}> { y = Conv(x, w) }";
  const TfliteFile file = tflite_file(model_of("(float[N,2,4,4] x) => (float[N,2,4,4] y)" + body));
  EXPECT_EQ(file.outputs[0].shape, (Shape{1, 4, 4, 2}));
  EXPECT_NE(refusal(model_of("(float[1,2,H,4] x) => (y)" + body)).find("input 'x'"),
            std::string::npos);
}

}  // namespace
}  // namespace intaglio::testing
