// The operators that become operators of TFLite: one row for each in op_table.cpp, and a function
// in the op_*.cpp of its family. What has no row is refused, and what a row cannot do as well.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "lib/tflite/site.h"

namespace intaglio::tflite {

// What an operator means for the order of axes of its first input.
enum class Order {
  any,     // it takes the values as they are stored
  images,  // channels last
  given,   // as in ONNX
};

struct OpRow {
  std::string_view op;
  void (*lower)(Site& site);
  std::size_t operands = 1;  // inputs that are codes when it computes on codes; 0: all
  Order order = Order::any;
  bool fuses = false;  // a Relu or Clip behind may be part of it
  // Why TFLite has it in float alone, or not for these codes; empty: it has. Null: it always has.
  std::string (*float_because)(const Group& group) = nullptr;
};

std::span<const OpRow> op_rows();         // sorted by operator
const OpRow* find_row(const Node& node);  // null: none

// --- The families
void lower_conv(Site& site);
void lower_conv_transpose(Site& site);
void lower_gemm(Site& site);
void lower_matmul(Site& site);

void lower_max_pool(Site& site);
void lower_average_pool(Site& site);
void lower_global_average_pool(Site& site);
void lower_global_max_pool(Site& site);
void lower_reduce(Site& site);

void lower_binary(Site& site);
void lower_unary(Site& site);
void lower_leaky_relu(Site& site);
void lower_prelu(Site& site);
void lower_clip(Site& site);
void lower_softmax(Site& site);
void lower_hard_sigmoid(Site& site);
void lower_reciprocal(Site& site);
void lower_batch_normalization(Site& site);

void lower_reshape(Site& site);  // Flatten, Squeeze, Unsqueeze as well
void lower_transpose(Site& site);
void lower_identity(Site& site);
void lower_concat(Site& site);
void lower_split(Site& site);
void lower_slice(Site& site);
void lower_pad(Site& site);
void lower_gather(Site& site);
void lower_expand(Site& site);
void lower_tile(Site& site);
void lower_depth_to_space(Site& site);
void lower_space_to_depth(Site& site);
void lower_resize(Site& site);

// Outputs of a fixed scale and zero point, or the same parameters as the input, for rows.
std::string unless_fixed_256(const Group& group);  // 1/256, -128
std::string unless_fixed_128(const Group& group);  // 1/128, 0
std::string always_float(const Group& group);

}  // namespace intaglio::tflite
