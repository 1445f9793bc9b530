// Ranges of activations as the files that toolchains take beside a float model: one writer a format, in
// a file of its own. The names are those of the float model of the result (lib/rewrite/float_model.h).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "lib/base/words.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

enum class RangesFormat {
  ncnn,    // the table of ncnn2int8, by layers of a converted network: lib/ncnn/table.h
  sophgo,  // the calibration table of tpu-mlir
  tflite,  // the calibration result of ai-edge-quantizer, as JSON
  rknn,    // quantize_parameters of rknn-toolkit2's hybrid quantization
};
constexpr std::array<Word<RangesFormat>, 4> words(RangesFormat) {
  return {{{"ncnn", RangesFormat::ncnn},
           {"sophgo", RangesFormat::sophgo},
           {"tflite", RangesFormat::tflite},
           {"rknn", RangesFormat::rknn}}};
}

// What a float value of the model is quantized by.
struct ValueRange {
  std::string name;
  std::string op;  // the operator that makes it; empty: an input of the model
  QParams params;  // codes of u8 or s8
  // It lies between a product and the activation that is fused into it, and has the range behind that:
  // most toolchains do not ask for it.
  bool within = false;
  // The real values of all codes of 8 bits: scale = (hi - lo) / 255, exactly as planned.
  double lo() const;
  double hi() const;
  std::int32_t signed_zero_point() const;  // of the same codes as s8
};

// Every float value of the graph that the plan has a scale for, in the order in which they are made.
// What only relabels or moves such a value has its scale. missing: the names of the others. Throws Code::unsupported for codes of 16 bits.
struct ValueRanges {
  std::vector<ValueRange> values;
  std::vector<std::string> missing;
};
ValueRanges value_ranges(const Graph& graph, const Plan& plan);

// The text of the file; `format` is any but ncnn.
std::string ranges_text(RangesFormat format, const ValueRanges& ranges);

}  // namespace intaglio
