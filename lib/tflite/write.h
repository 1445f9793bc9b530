// An int8 .tflite file of a quantized model, for LiteRT, microcontrollers (TFLM) and Ethos-U (Vela):
// the same codes, scales and zero points.
//
//   DequantizeLinear - operator - QuantizeLinear    one operator on int8 codes
//   what stands between no such pairs               an operator of float, if TFLite has it
//   QuantizeLinear, DequantizeLinear alone          QUANTIZE, DEQUANTIZE
//
// Images are stored with their channels last, and values keep the order in which they are made:
// TRANSPOSE stands only in front of what wants another one (lib/tflite/axes.h). Inputs and outputs
// of rank 4 are [N,H,W,C] where operators of images read or make them; all others are as in ONNX. A Relu
// or Clip that the saturation of codes does is no operator. Codes of u8 become those of s8, with
// zero points that are less by 128: they stand for the same values.
//
// Sources: the schema of TFLite, version 3; its 8-bit quantization specification (int8, weights
// symmetric, int32 biases in units of input times weight scale, fixed results of LOGISTIC, SOFTMAX
// and TANH).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lib/graph/model.h"
#include "lib/quant/qparams.h"

namespace intaglio {

// An input or output as the file has it.
struct TflitePort {
  std::string name;
  DType type = DType::f32;
  Shape shape;
  std::optional<QParams> params;  // of codes
  bool channels_last = false;     // of an image that ONNX has with its channels second
};

struct TfliteFile {
  std::string bytes;
  std::vector<TflitePort> inputs, outputs;
  std::size_t operators = 0, on_codes = 0;  // conversions between floats and codes are not on_codes
  std::size_t transposes = 0, conversions = 0;  // TRANSPOSE; QUANTIZE and DEQUANTIZE
  // Nodes that compute in float, and why.
  struct InFloat {
    std::string node, reason;
  };
  std::vector<InFloat> in_float;
};

// Of a Q/DQ model, or of a float one: what is refused then is refused when it is quantized, too.
// Throws Code::unsupported for operators, attributes and shapes that TFLite does not have, naming
// the node and what helps.
TfliteFile tflite_file(const Model& model);

}  // namespace intaglio
