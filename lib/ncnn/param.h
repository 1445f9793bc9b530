// The text file of an ncnn network, NAME.ncnn.param: its layers, in the order in which they run.
//
//   7767517
//   3 3                                                layers, blobs
//   Convolution  conv_0  1 1  in0 1  0=16 1=3 6=432    type, name, inputs, outputs, their blobs, key=value
//
// (ncnn, docs/developer-guide/param-and-model-file-structure.md.) Values of keys are kept as they are
// written: what is not asked for is written back unchanged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace intaglio {

struct NcnnLayer {
  std::string type, name;
  std::vector<std::string> bottoms, tops;                    // blobs that it reads and makes
  std::vector<std::pair<std::int64_t, std::string>> params;  // by key; arrays have -23300 - key

  // A whole number; fallback: the key is not there. Throws Code::model for another value.
  std::int64_t param(std::int64_t key, std::int64_t fallback) const;
  void set_param(std::int64_t key, std::int64_t value);
};

struct NcnnGraph {
  std::size_t blobs = 0;
  std::vector<NcnnLayer> layers;
};

// origin: what messages call the file. Throws Code::model, naming the line, for what is no such text.
NcnnGraph parse_ncnn_param(std::string_view text, const std::string& origin);

std::string ncnn_param_text(const NcnnGraph& graph);

}  // namespace intaglio
