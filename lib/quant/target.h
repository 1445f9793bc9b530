// A target: what one runtime or NPU takes, as data. Files of configs/ are documented in
// docs/targets.md.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/words.h"
#include "lib/quant/scheme.h"

namespace intaglio {

// Whether weights have a scale per channel, or one.
enum class Granularity { channel, tensor };
constexpr std::array<Word<Granularity>, 2> words(Granularity) {
  return {{{"channel", Granularity::channel}, {"tensor", Granularity::tensor}}};
}

// What quantizing an operator means.
enum class Role {
  compute,      // x, weight, bias: Conv, ConvTranspose, Gemm, MatMul
  activation,   // fused into the producer named in `fuses_into`; otherwise like elementwise
  elementwise,  // every float input and output has parameters of its own
  share,        // moves values about: the output has the parameters of input 0
  join,         // all inputs and outputs have the same parameters: Concat
  weights,      // constant weights are stored in codes, data and arithmetic stay float: LSTM
};

constexpr std::array<Word<Role>, 6> words(Role) {
  return {{{"compute", Role::compute},
           {"activation", Role::activation},
           {"elementwise", Role::elementwise},
           {"share", Role::share},
           {"join", Role::join},
           {"weights", Role::weights}}};
}

// Scale and zero point that the runtime assumes, whatever the range: 1/256 for Softmax.
struct FixedOutput {
  float scale = 1;
  std::int32_t zero_point = 0;
};

struct OpRule {
  Role role = Role::elementwise;
  std::vector<std::string> fuses_into;  // producers that an activation is fused into
  // And those into which it is fused at the price that both run in float.
  std::vector<std::string> float_into;
  // Into a Conv among them it is, placed for accuracy or not, when no more products than these make
  // one of its results: with so few, integers save less than the pair between the two costs.
  std::int64_t float_products = 0;
  // A result that only leaves the graph, or that only float operators read, is not quantized: it
  // costs the runtime nothing, and codes of 8 bits make scores tie.
  bool float_output = false;
  bool per_channel = true;           // false: weights of this operator have one scale
  std::optional<FixedOutput> fixed;  // of the output
  std::string float_because;         // not empty: runs in float between its Q/DQ pairs, and why
  // Not empty: it gets no pairs although the runtime could run it between some, and why. At the
  // graph's end it has them all the same where results must have codes (no float_output).
  std::string left_float;
  float min_scale = 0;  // of the output: below, the runtime's kernel computes something else
  // The values of attribute `mode` that the rule is for; empty: all. Nodes of others have no rule.
  std::vector<std::string> modes;
  bool float_result = false;  // it runs in integers also where its result stays float
  // Its result has codes also where only operators that stay float read it: the runtime would
  // choose some.
  bool always_codes = false;
  // Of compute. Not empty: a product of two activations stays float, and why.
  std::string without_weights;
  // Not empty: it runs in float where the zero point of its data is not 0, and why.
  std::string float_off_zero;
  // Types of codes with which the runtime computes something else, and what it does then.
  std::vector<DType> wrong_types;
  std::string wrong_because;
};

// How a runtime finds what it runs in integers.
enum class Engine {
  pairs,            // operators of the list between DequantizeLinear and QuantizeLinear
  onnxruntime_x86,  // by the rules of its QDQ transformer (lib/passes/qdq/fuse_qdq.h)
  onnxruntime_arm,  // the same, and int8 activations everywhere
};

constexpr std::array<Word<Engine>, 3> words(Engine) {
  return {{{"pairs", Engine::pairs},
           {"onnxruntime-x86", Engine::onnxruntime_x86},
           {"onnxruntime-arm", Engine::onnxruntime_arm}}};
}

// What a runtime reads, for models of any origin.
struct Accepts {
  std::vector<std::string> forms;  // qdq, qoperator, contrib, dynamic, weights
  std::vector<DType> activations, weights;
  bool activation_zero_points = true;  // false: zero points of activations must be 0
  bool weight_zero_points = true;      // the same for weights
  bool channel_zero_points = true;     // the same for weights with a scale per channel
  bool per_channel = true;
  bool s32_bias = true, float_bias = true;
};

struct Target {
  std::string name;
  std::string description;
  std::int64_t opset = 13;  // the least opset of the output
  // The newest opset and version of the format (IR) that it loads; nullopt: not known.
  std::optional<std::int64_t> last_opset, last_ir;
  Scheme activations;  // per-tensor
  Scheme weights;      // axis is ignored; see per_channel
  bool per_channel = true;
  double min_range = 0;       // the smallest range of an activation
  bool float_bias = false;    // biases are left float
  bool power_of_two = false;  // scales are powers of two
  // Products of u8 and s8 are added in pairs with saturation to 16 bits: weights are made smaller
  // where a pair could saturate (lib/quant/saturation.h).
  bool saturating = false;
  // Layers make floats, which each layer on codes rounds for itself: what reads them in float reads
  // what was made, not what is rounded for others.
  bool float_results = false;
  Engine engine = Engine::pairs;
  std::string fallback = "runs in float";  // what becomes of an operator that stays float
  bool fixed_shapes = false;               // every length is known: an open batch becomes 1
  bool drops_implied = false;  // activations that the codes behind them imply are not written
  bool straight_gemm = false;  // Gemm reads weights without transB: what some forms want
  Accepts accepts;
  // By composite activation (lib/quant/composite.h): the producers that it is computed with.
  std::map<std::string, std::vector<std::string>> composites;
  std::map<std::string, OpRule> ops;
  // Operators that stay float32 where the float rest of a model becomes float16, and why; nullopt:
  // the target takes no float16.
  std::optional<std::map<std::string, std::string>> float16;
};

// Throws Code::config when the schemes, which options may have changed, are not what the target
// accepts.
void require_accepted(const Target& target, const std::string& form);

// Throws Code::config when the target takes no float16.
void require_float16(const Target& target);

// Activations are fused into their producers wherever the runtime can, also where both then run in
// float: nothing is rounded between the two.
Target placed_for_accuracy(Target target);

// Codes are placed so that no zero point is that of symmetric ones (Scheme::off_centre).
void avoid_zero_points(Target& target);

// Reads a target file. Throws Code::config with the JSON path of what is wrong.
Target read_target(const std::filesystem::path& path);

}  // namespace intaglio
