// Which weights can be stored in groups, and how wide each is to be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

// The constant that a product reads, itself or through a Transpose of its two axes.
struct GroupedWeight {
  std::size_t input = 1;            // of the node
  const Value* constant = nullptr;  // (inputs, outputs), or (outputs, inputs) where axis is 1
  int axis = 0;                     // of the constant: the one that is summed over
  std::string refusal;              // not empty: why the node has none
};

// Of a MatMul: its second input, of two axes. Of a Gemm, the same; its alpha must be 1, and beta too
// where it adds something. The constant is float32, float16 or bfloat16.
GroupedWeight grouped_weight(const Node& node);

// The table of a Gather along axis 0, of two axes; groups lie along its rows.
GroupedWeight grouped_table(const Node& node);

// Whether it makes a result of the graph, but for arithmetic with constants, a Softmax or a cap of
// scores behind it: the head of a language model, the last layer of a classifier.
bool is_head(const Node& node);

// The widest groups up to `wanted` that `inputs` fill at least once; nullopt: not even 16.
std::optional<std::int64_t> group_for(std::int64_t inputs, std::int64_t wanted);

// The sizes of groups that runtimes have kernels for (onnxruntime's MatMulNBits: powers of two from
// 16; its fusion of DequantizeLinear takes up to 256).
inline constexpr std::int64_t least_group = 16, most_group = 256;

}  // namespace intaglio
