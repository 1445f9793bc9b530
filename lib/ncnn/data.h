// The weights of an ncnn network, NAME.ncnn.bin: the arrays of its layers one behind the other,
// without names, so that where one begins follows from all layers before it.
//
//   tagged   4 bytes that say the type, then the elements, filled up to a multiple of 4 bytes
//            0x00000000, 0x0002C056 float32    0x01306B47 float16    0x000D4B38 int8
//   raw      float32
//
// Which layers have which arrays: load_param() and load_model() of each in ncnn's src/layer. The tags:
// src/modelbin.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ncnn/param.h"

namespace intaglio {

enum class NcnnType : std::uint8_t { raw, f32, f16 };  // the first without a tag

struct NcnnArray {
  std::string_view bytes;  // with its tag and what fills it up
  std::int64_t count = 0;  // elements
  NcnnType type = NcnnType::raw;
};

// The arrays of each layer, as views of `data`. name: what messages call the file. Throws Code::model
// where the data end too early or too late, with the layer, and Code::unsupported for a network that
// is quantized already.
std::vector<std::vector<NcnnArray>> ncnn_arrays(const NcnnGraph& graph, std::string_view data,
                                                const std::string& name);

// The elements of an array as floats; and an array of floats in its type, of int8, and raw.
std::vector<float> ncnn_floats(const NcnnArray& array);
std::string ncnn_bytes(const std::vector<float>& values, NcnnType type);
std::string ncnn_bytes(const std::vector<std::int8_t>& codes);

// Of a layer that multiplies with weights: where it says how many, whether it adds a bias, and how many
// results it has. weights: 0: it is no such layer, or reads its weights from another one.
struct NcnnProduct {
  std::int64_t weights = 0, outputs = 0, groups = 1;
  std::int64_t bias_key = 0;
  bool bias = false;
};
NcnnProduct ncnn_product(const NcnnLayer& layer);

}  // namespace intaglio
