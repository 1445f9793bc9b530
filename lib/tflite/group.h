// A node of a Q/DQ model with the pairs around it: what TFLite holds as one operator on codes.
//
//   DequantizeLinear -> Conv -> Relu -> QuantizeLinear      one CONV_2D of int8
//   Conv -> Relu                                            CONV_2D and RELU of float
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/graph/op_traits.h"
#include "lib/quant/qparams.h"

namespace intaglio::tflite {

// What an operator reads or makes: codes when there are parameters, else the value as it is. Codes
// are s8: parameters of u8 are given with a zero point that is less by 128.
struct End {
  const Value* value = nullptr;  // null: left out
  std::optional<QParams> params = std::nullopt;
};

struct Group {
  const Node* node = nullptr;
  std::vector<End> inputs, outputs;  // at the places of the node's own
  const Node* activation = nullptr;  // a Relu or Clip behind it that is done by the same operator
  bool integer = false;              // it computes on codes
  std::string why_float;             // why not; empty: nothing around it is quantized
  std::set<const Node*> taken;       // nodes behind it that are part of it
};

// operands: how many inputs, from the first, must be codes, biases and settings aside; 0: all.
// fuses: whether a Relu or Clip may be part of it. Throws Code::unsupported for codes that are not
// of 8 bits, and for weights with a zero point.
Group group_of(const Node& node, std::size_t operands, bool fuses);

// The node alone, on floats.
Group float_group(const Node& node, const std::string& why);

// Scale and zero point of a QuantizeLinear or DequantizeLinear, for codes of s8; nullopt for int32.
// Throws as group_of().
std::optional<QParams> params_of(const Node& conversion);

// Those of a value of codes, by what makes or reads it; nullopt: it holds no codes.
std::optional<QParams> code_params(const Value& value);

// The bounds of a Relu or Clip.
Interval bounds_of(const Node& activation);

}  // namespace intaglio::tflite
