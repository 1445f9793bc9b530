#include "lib/tflite/op_table.h"

#include <algorithm>
#include <array>

namespace intaglio::tflite {
namespace {

constexpr std::array rows = {
    OpRow{"Abs", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Add", lower_binary, 0, Order::any, true},
    OpRow{"AveragePool", lower_average_pool, 1, Order::images},
    OpRow{"BatchNormalization", lower_batch_normalization, 1, Order::any, false, always_float},
    OpRow{"Ceil", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Clip", lower_clip},
    OpRow{"Concat", lower_concat, 0},
    OpRow{"Conv", lower_conv, 2, Order::images, true},
    OpRow{"ConvTranspose", lower_conv_transpose, 2, Order::images, true},
    OpRow{"Cos", lower_unary, 1, Order::any, false, always_float},
    OpRow{"DepthToSpace", lower_depth_to_space, 1, Order::images},
    OpRow{"Div", lower_binary, 0, Order::any, false, always_float},
    OpRow{"Elu", lower_unary},
    OpRow{"Exp", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Expand", lower_expand},
    OpRow{"Flatten", lower_reshape, 1, Order::given},
    OpRow{"Floor", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Gather", lower_gather},
    OpRow{"Gelu", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Gemm", lower_gemm, 2, Order::given, true},
    OpRow{"GlobalAveragePool", lower_global_average_pool, 1, Order::images},
    OpRow{"GlobalMaxPool", lower_global_max_pool, 1, Order::images},
    OpRow{"HardSigmoid", lower_hard_sigmoid, 1, Order::any, false, always_float},
    OpRow{"HardSwish", lower_unary},
    OpRow{"Identity", lower_identity},
    OpRow{"LeakyRelu", lower_leaky_relu},
    OpRow{"Log", lower_unary, 1, Order::any, false, always_float},
    OpRow{"LogSoftmax", lower_softmax, 1, Order::any, false, always_float},
    OpRow{"MatMul", lower_matmul, 2, Order::given, true},
    OpRow{"Max", lower_binary, 0, Order::any, false, always_float},
    OpRow{"MaxPool", lower_max_pool, 1, Order::images},
    OpRow{"Min", lower_binary, 0, Order::any, false, always_float},
    OpRow{"Mul", lower_binary, 0, Order::any, true},
    OpRow{"Neg", lower_unary, 1, Order::any, false, always_float},
    OpRow{"PRelu", lower_prelu, 2},
    OpRow{"Pad", lower_pad},
    OpRow{"Pow", lower_binary, 0, Order::any, false, always_float},
    OpRow{"Reciprocal", lower_reciprocal, 1, Order::any, false, always_float},
    OpRow{"ReduceMax", lower_reduce},
    OpRow{"ReduceMean", lower_reduce},
    OpRow{"ReduceMin", lower_reduce},
    OpRow{"ReduceSum", lower_reduce},
    OpRow{"Relu", lower_clip},
    OpRow{"Reshape", lower_reshape, 1, Order::given},
    OpRow{"Resize", lower_resize, 1, Order::images},
    OpRow{"Round", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Sigmoid", lower_unary, 1, Order::any, false, unless_fixed_256},
    OpRow{"Sin", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Slice", lower_slice},
    OpRow{"Softmax", lower_softmax, 1, Order::any, false, unless_fixed_256},
    OpRow{"SpaceToDepth", lower_space_to_depth, 1, Order::images},
    OpRow{"Split", lower_split},
    OpRow{"Sqrt", lower_unary, 1, Order::any, false, always_float},
    OpRow{"Squeeze", lower_reshape, 1, Order::given},
    OpRow{"Sub", lower_binary, 0, Order::any, true},
    OpRow{"Tanh", lower_unary, 1, Order::any, false, unless_fixed_128},
    OpRow{"Tile", lower_tile},
    OpRow{"Transpose", lower_transpose, 1, Order::given},
    OpRow{"Unsqueeze", lower_reshape, 1, Order::given},
};

bool has_output(const Group& group, float scale, std::int32_t zero_point) {
  const auto& params = group.outputs.front().params;
  return params && params->scale.front() == scale && params->zero_point.front() == zero_point;
}

}  // namespace

std::span<const OpRow> op_rows() { return rows; }

const OpRow* find_row(const Node& node) {
  if (!node.domain().empty()) return nullptr;
  const auto row = std::ranges::find(rows, node.op(), &OpRow::op);
  return row == rows.end() ? nullptr : &*row;
}

std::string unless_fixed_256(const Group& group) {
  return has_output(group, 1.0F / 256, -128)
             ? ""
             : "TFLite wants a scale of 1/256 and a zero point of -128 of its result";
}

std::string unless_fixed_128(const Group& group) {
  return has_output(group, 1.0F / 128, 0)
             ? ""
             : "TFLite wants a scale of 1/128 and a zero point of 0 of its result";
}

std::string always_float(const Group&) { return "TFLite has no such operator on codes"; }

}  // namespace intaglio::tflite
