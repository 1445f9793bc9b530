// A target: what one runtime or NPU takes, as data. Files of configs/ are documented in docs/targets.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lib/quant/scheme.h"

namespace intaglio {

// What quantizing an operator means.
enum class Role {
  compute,      // x, weight, bias: Conv, ConvTranspose, Gemm, MatMul
  activation,   // fused into the producer named in `fuses_into`; otherwise like elementwise
  elementwise,  // every float input and output has parameters of its own
  share,        // moves values about: the output has the parameters of input 0
  join,         // all inputs and outputs have the same parameters: Concat
};

struct OpRule {
  Role role = Role::elementwise;
  std::vector<std::string> fuses_into;  // producers that an activation is fused into
  std::vector<std::string>
      float_into;  // and those into which it is fused at the price that both run in float
  bool float_output = false;  // a result that only leaves the graph is not quantized: it costs the runtime
                              // nothing, and codes of 8 bits make scores tie
};

struct Target {
  std::string name;
  std::string description;
  std::int64_t opset = 13;   // the least opset of the output
  Scheme activations;        // per-tensor
  Scheme weights;            // axis is ignored; see per_channel
  bool per_channel = true;
  double min_range = 0;          // the smallest range of an activation
  std::map<std::string, OpRule> ops;
};

// Activations are fused into their producers wherever the runtime can, also where both then run in
// float: nothing is rounded between the two.
Target placed_for_accuracy(Target target);

// Reads a target file. Throws Code::config with the JSON path of what is wrong.
Target read_target(const std::filesystem::path& path);

}  // namespace intaglio
