// What each operator becomes. Whether runtimes compute the same: scripts/toolchains/tflite.
#include <map>

#include "tests/tflite/support.h"

namespace intaglio::testing {
namespace {

// Operators of a float graph with input x [1,4,6,6].
ReadFile file_of(const std::string& nodes, const std::string& constants = "", int opset = 13) {
  return ReadFile(model_of("(float[1,4,6,6] x) => (y)" +
                               (constants.empty() ? "" : "<" + constants + ">") + "{" + nodes + "}",
                           opset));
}

std::string ops_of_nodes(const std::string& nodes, const std::string& constants = "",
                         int opset = 13) {
  return file_of(nodes, constants, opset).ops();
}

TEST(TfliteOps, MoversTakeValuesAsTheyAreStored) {
  EXPECT_EQ(ops_of_nodes("y = Concat<axis = 1>(x, x)"), "CONCATENATION");
  EXPECT_EQ(ops_of_nodes("a, b = Split<axis = 1>(x) y = Add(a, b)"), "SPLIT ADD");
  EXPECT_EQ(ops_of_nodes("a, b = Split<axis = 1>(x, s) y = Concat<axis = 1>(b, a)",
                         "int64[2] s = {1, 3}"),
            "SPLIT_V CONCATENATION");
  EXPECT_EQ(ops_of_nodes("y = Gather<axis = 1>(x, i)", "int64[2] i = {3, -4}"), "GATHER");
  EXPECT_EQ(ops_of_nodes("y = Expand(x, s)", "int64[4] s = {2, 4, 6, 6}"), "BROADCAST_TO");
  EXPECT_EQ(ops_of_nodes("y = Tile(x, r)", "int64[4] r = {1, 2, 1, 1}"), "TILE");
  EXPECT_EQ(ops_of_nodes("y = Identity(x)"), "RESHAPE") << "an output is no input";
}

TEST(TfliteOps, ASliceBackwardsEndsBeforeTheFirst) {
  const ReadFile file = file_of("y = Slice(x, a, b, c, d)",
                                "int64[1] a = {-1}, int64[1] b = {-99}, int64[1] c = {2}, "
                                "int64[1] d = {-2}");
  const fb::OperatorT& op = file.op(fb::Op::STRIDED_SLICE);
  EXPECT_EQ(op.options.AsStridedSliceOptions()->end_mask, 0) << "it stops at 1";
  EXPECT_EQ(file.values<std::int32_t>(file.input(op, 1)), (std::vector<std::int32_t>{0, 0, 5, 0}));
  EXPECT_EQ(file.output(op).shape, (std::vector<std::int32_t>{1, 4, 3, 6}));
  const ReadFile whole = file_of("y = Slice(x, a, b, c, d)",
                                 "int64[1] a = {-1}, int64[1] b = {-99}, int64[1] c = {2}, "
                                 "int64[1] d = {-1}");
  EXPECT_EQ(whole.op(fb::Op::STRIDED_SLICE).options.AsStridedSliceOptions()->end_mask, 4);
}

TEST(TfliteOps, PadsByZeroByAValueOrByReflection) {
  const std::string pads = "int64[8] p = {0,0,1,1,0,0,1,1}, float v = {2.0}, float z = {0.0}";
  EXPECT_EQ(ops_of_nodes("y = Pad(x, p)", pads), "PAD");
  EXPECT_EQ(ops_of_nodes("y = Pad(x, p, z)", pads), "PAD");
  EXPECT_EQ(ops_of_nodes("y = Pad(x, p, v)", pads), "PADV2");
  EXPECT_EQ(ops_of_nodes("y = Pad<mode = \"reflect\">(x, p)", pads), "MIRROR_PAD");
}

TEST(TfliteOps, ResizeHasTheRuleThatTakesTheSamePixels) {
  const auto rule = [](const std::string& attributes) {
    const ReadFile file = file_of("y = Resize<" + attributes + ">(x, r, s)",
                                  "float[0] r = {}, float[4] s = {1.0, 1.0, 2.0, 2.0}");
    const fb::OperatorT& op = *file.graph().operators.back();
    if (const auto* o = op.options.AsResizeBilinearOptions())
      return std::pair(o->align_corners, o->half_pixel_centers);
    const auto* o = op.options.AsResizeNearestNeighborOptions();
    return std::pair(o->align_corners, o->half_pixel_centers);
  };
  const auto half = std::pair(false, true), plain = std::pair(false, false),
             corners = std::pair(true, false);
  EXPECT_EQ(rule("mode = \"linear\""), half);
  EXPECT_EQ(rule("mode = \"linear\", coordinate_transformation_mode = \"asymmetric\""), plain);
  EXPECT_EQ(rule("mode = \"linear\", coordinate_transformation_mode = \"align_corners\""), corners);
  EXPECT_EQ(rule("mode = \"nearest\""), half);
  EXPECT_THROW(rule("mode = \"nearest\", nearest_mode = \"ceil\""), Error)
      << "no rule takes the pixel behind";
}

TEST(TfliteOps, WhatTransposedConvolutionsReachBeyondIsCut) {
  const std::string filters = "float[4,2,3,3] w = {" + [] {
    std::string text;
    for (int i = 0; i < 72; ++i) text += (i ? "," : "") + std::to_string(i * 0.1);
    return text;
  }() + "}";
  EXPECT_EQ(ops_of_nodes("y = ConvTranspose<strides = [2,2]>(x, w)", filters), "TRANSPOSE_CONV");
  EXPECT_EQ(ops_of_nodes("y = ConvTranspose<strides = [2,2], pads = [0,0,1,1]>(x, w)", filters),
            "TRANSPOSE_CONV")
      << "SAME";
  const ReadFile cut =
      file_of("y = ConvTranspose<strides = [2,2], pads = [1,1,0,0]>(x, w)", filters);
  EXPECT_EQ(cut.ops(), "TRANSPOSE_CONV STRIDED_SLICE");
  EXPECT_EQ(cut.output(cut.op(fb::Op::STRIDED_SLICE)).shape,
            (std::vector<std::int32_t>{1, 12, 12, 2}));
}

TEST(TfliteOps, MeansTakeTheAxesThatAreStored) {
  EXPECT_EQ(ops_of_nodes("y = GlobalAveragePool(x)"), "MEAN");
  const ReadFile file = file_of(
      "c = MaxPool<kernel_shape = [1,1]>(x)"
      "y = ReduceMean<axes = [1], keepdims = 0>(c)");
  const fb::OperatorT& mean = file.op(fb::Op::MEAN);
  EXPECT_EQ(file.values<std::int32_t>(file.input(mean, 1)), std::vector<std::int32_t>{3});
  EXPECT_EQ(file.output(mean).shape, (std::vector<std::int32_t>{1, 6, 6}));
}

TEST(TfliteOps, FloatOnesMadeOfSeveral) {
  EXPECT_EQ(ops_of_nodes("y = HardSigmoid(x)"), "MUL ADD MAXIMUM MINIMUM");
  EXPECT_EQ(ops_of_nodes("y = Reciprocal(x)"), "DIV");
  EXPECT_EQ(ops_of_nodes("y = BatchNormalization(x, g, b, m, v)",
                         "float[4] g = {1,2,3,4}, float[4] b = {1,2,3,4}, float[4] m = {1,2,3,4}, "
                         "float[4] v = {1,2,3,4}"),
            "MUL ADD");
  EXPECT_EQ(ops_of_nodes("y = Relu(x)"), "RELU");
  EXPECT_EQ(ops_of_nodes("y = Clip(x, l, h)", "float l = {0.0}, float h = {6.0}"), "RELU6");
  EXPECT_EQ(ops_of_nodes("y = Clip(x, l, h)", "float l = {-2.0}, float h = {2.0}"),
            "MAXIMUM MINIMUM");
}

TEST(TfliteOps, ASoftmaxRunsOverTheLastAxis) {
  EXPECT_EQ(ops_of_nodes("y = Softmax<axis = -1>(x)"), "SOFTMAX");
  EXPECT_EQ(ops_of_nodes("c = MaxPool<kernel_shape = [1,1]>(x) y = Softmax<axis = 1>(c)"),
            "MAX_POOL_2D SOFTMAX")
      << "channels are last";
  EXPECT_EQ(ops_of_nodes("y = Softmax<axis = 1>(x)"), "TRANSPOSE SOFTMAX TRANSPOSE")
      << "no image, so that all is as in ONNX outside";
}

// Both are the same tensor, and mean other axes.
TEST(TfliteOps, AValueAndItsTransposeAreTransposedApart) {
  const ReadFile file(
      model_of("(float[1,4,4,4] x) => (y, z) <float[1,4,1,1] w = {1,2,3,4}>"
               "{ t = Transpose<perm = [0,2,3,1]>(x) u = Transpose<perm = [0,2,1,3]>(x)"
               "  y = Conv(t, w) z = Conv(u, w) }"));
  std::vector<std::vector<std::int32_t>> moves;
  for (const auto& op : file.graph().operators)
    if (file.code_of(*op).code == fb::Op::TRANSPOSE)
      moves.push_back(file.values<std::int32_t>(file.input(*op, 1)));
  // x is stored as in ONNX; t wants its rows innermost, u its columns.
  EXPECT_EQ(moves, (std::vector<std::vector<std::int32_t>>{{0, 3, 1, 2}, {0, 1, 3, 2}}));
}

TEST(TfliteOps, RowsAreImagesOfHeightOne) {
  const ReadFile file(
      model_of("(float[1,2,8] x) => (y) <float[3,2,3] w = {1,2,3,4,5,6,7,8,9,"
               "1,2,3,4,5,6,7,8,9}> { y = Conv<pads = [1,1]>(x, w) }"));
  EXPECT_EQ(file.ops(), "TRANSPOSE RESHAPE CONV_2D RESHAPE TRANSPOSE");
  EXPECT_EQ(file.file().inputs[0].shape, (Shape{1, 2, 8}));
  EXPECT_EQ(file.file().outputs[0].shape, (Shape{1, 3, 8}));
}

// Operators of which TFLite wants one scale: what differs is requantized behind.
TEST(TfliteOps, ResultsWithOtherParametersAreRequantized) {
  Model model = in_pairs(
      "(float[1,2,4,4] x) => (y) <float[2,2,1,1] w = {1,2,3,4}>"
      "{ c = Conv(x, w) y = MaxPool<kernel_shape = [2,2]>(c) }");
  EXPECT_EQ(ReadFile(model).ops(), "QUANTIZE CONV_2D MAX_POOL_2D DEQUANTIZE");
  Node& quantize = *model.graph().outputs()[0]->producer()->input(0)->producer();
  model.graph().set_input(quantize, 1, &model.graph().add_constant("other", Tensor::scalar(0.05F)));
  model.graph().set_input(*model.graph().outputs()[0]->producer(), 1, quantize.input(1));
  const ReadFile file(model);
  EXPECT_EQ(file.ops(), "QUANTIZE CONV_2D MAX_POOL_2D QUANTIZE DEQUANTIZE");
  EXPECT_EQ(file.output(*file.graph().operators[3]).quantization->scale, std::vector<float>{0.05F});
}

}  // namespace
}  // namespace intaglio::testing
