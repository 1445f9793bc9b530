// Networks of ncnn as converters write them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/atomic_file.h"
#include "lib/ncnn/network.h"
#include "lib/rewrite/float_model.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {

// A layer: its line, and what stands in the .bin of it.
struct NcnnLine {
  std::string line, bytes;
};

inline std::string tagged(const std::vector<float>& values, NcnnType type = NcnnType::f32) {
  return ncnn_bytes(values, type);
}
inline std::string raw(const std::vector<float>& values) {
  return ncnn_bytes(values, NcnnType::raw);
}

// Writes NAME.param and NAME.bin; returns the former.
inline std::filesystem::path write_network(const std::filesystem::path& folder,
                                           const std::vector<NcnnLine>& layers,
                                           const std::string& name = "net.ncnn") {
  std::string text = "7767517\n" + std::to_string(layers.size()) + " 9\n", bin;
  for (const NcnnLine& layer : layers) text += layer.line + "\n", bin += layer.bytes;
  write_file(folder / (name + ".bin"), bin);
  write_file(folder / (name + ".param"), text);
  return folder / (name + ".param");
}

inline Target ncnn_target() { return read_target(source_dir() / "configs" / "ncnn.json"); }

inline Model on_grid(const Model& model, const Plan& plan) {
  Model result = model.clone();
  write_float_model(result, plan);
  return result;
}

}  // namespace intaglio::testing
