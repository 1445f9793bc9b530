// The plan: what becomes of every node and value, decided before anything is done.
//
// draft() decides; select() (calibration/ranges/select.h) fills in the numbers; the writers of lib/rewrite
// act. A plan is plain data: it can be saved, read, edited, diffed and loaded back.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/base/json.h"
#include "lib/quant/qparams.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct GroupCodes;  // lib/quant/group_codes.h

// A float value that gets a QuantizeLinear - DequantizeLinear pair.
struct ActivationPlan {
  std::string name;
  Scheme scheme;
  // Values of one group share their parameters; a group is named after its first value.
  std::string group;
  std::vector<std::string> notes;  // the rules that shaped the range, for the report
  Range range;                     // filled in by select()
  QParams params;                  // filled in by select(); one scale
};

// A constant that is stored in integers: the weight of a node, or a constant operand of an Add.
struct ConstantPlan {
  std::size_t input = 0;  // which input of the node
  std::string name;       // of the float constant
  Scheme scheme;
  QParams params;  // filled in by select()
  // Not empty: has the parameters of this group of activations (an operand of Concat).
  std::string group;
  int raised = 0;  // scales raised by the bias guard
  // Filled in by rounding (calibration/refine): the codes, of the scheme's type and the constant's
  // shape. Undefined: the nearest ones.
  Tensor codes = {};
  // Filled in for a scheme with groups (calibration/groups), which has no params.
  std::shared_ptr<const GroupCodes> groups = {};
};

// An int32 bias: its scale follows from input and weight.
struct BiasPlan {
  std::size_t input = 2;
  std::string name;
  QParams params;  // filled in by select(); of type f32 from the draft on: it stays float
  // Filled in by bias correction: added to the float bias; empty: none.
  std::vector<float> shift = {};
};

// A value that the network holds shifted and scaled by channel: x' = (x - shift) * scale. Weights
// and biases around it take that up, so that the network computes what it did before.
struct ChannelPlan {
  std::string name;
  std::vector<float> shift, scale;  // as many as channels, or empty: 0, 1
  // The value itself stays as it is: a Mul makes a scaled copy, which layers read in its place.
  bool copied = false;
};

// Of a node that computes on floats, where those may be of 16 bits.
struct Precision {
  DType type = DType::f16;  // or f32
  std::string reason;       // why it is f32; empty for f16
};

class Node;
class Value;
// The first output that is not omitted, by whose name a plan knows the node; null: it has none.
const Value* first_output(const Node& node);

struct NodePlan {
  std::string name;  // may be empty
  std::string op;
  std::string output;  // its first output: the key, unique in a graph
  bool quantized = false;
  std::string reason;  // why it stays float, or what it is fused into
  std::vector<ConstantPlan> constants;
  std::optional<BiasPlan> bias;
  std::optional<Precision> precision = {};  // nullopt: as the model has it
  bool raised =
      false;  // its activations have 16 bits where others have 8 (lib/quant/wide_activations.h)

  // Whether weights of it are stored in groups that share a scale.
  bool has_groups() const;
  // Whether its bias is stored as int32.
  bool has_integer_bias() const {
    return quantized && bias.has_value() && !is_float(bias->params.type);
  }
};

struct Plan {
  std::string target;
  std::string model_hash;                   // of the prepared graph the plan is for; empty: any
  std::vector<NodePlan> nodes;              // every node, in topological order
  std::vector<ChannelPlan> channels;        // filled in by equalization (calibration/refine)
  std::vector<ActivationPlan> activations;  // in the order in which the graph makes them
  std::vector<std::string> warnings;

  const ActivationPlan* find(const std::string& value) const;
  ActivationPlan* find(const std::string& value);
  std::size_t quantized_nodes() const;
};

// Names every group after its first value, constants that belong to one included.
void name_groups_after_first(Plan& plan);

// As in plans and files of statistics. The reader throws Code::config.
Json to_json(const std::vector<ChannelPlan>& channels);
std::vector<ChannelPlan> channels_from_json(JsonObject& json, const char* key,
                                            const std::string& origin);

// "intaglio.plan/1". The reader is strict and throws Code::config.
Json to_json(const Plan& plan);
Plan plan_from_json(const Json& json, const std::string& origin);

}  // namespace intaglio
