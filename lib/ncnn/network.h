// A float network of ncnn, read from its two files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/ncnn/data.h"
#include "lib/ncnn/param.h"

namespace intaglio {

struct NcnnNetwork {
  std::string param, bin;  // paths
  NcnnGraph graph;
  std::vector<std::vector<NcnnArray>> arrays;  // of each layer
  MappedBytes data;                            // that the arrays are views of
};

// NAME.bin of NAME.param: where its weights are. Throws Code::usage for another ending.
std::filesystem::path ncnn_bin_of(const std::filesystem::path& param);

// Throws Code::io for a missing file, and what parse_ncnn_param() and ncnn_arrays() throw.
NcnnNetwork load_ncnn(const std::filesystem::path& param);

}  // namespace intaglio
