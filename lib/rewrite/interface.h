// Integer graph inputs and outputs: the caller feeds codes and reads codes.
//
// Before:  x (float) -> QuantizeLinear -> ... -> DequantizeLinear -> y (float)
// After:   x (codes) -> ... -> y (codes)
//
// The first QuantizeLinear and the last DequantizeLinear become the caller's work, who finds their
// scales and zero points in the metadata of the model (key interface_key). Names of inputs and
// outputs stay. Inputs and outputs that hold no floats are left alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"
#include "lib/graph/model.h"
#include "lib/quant/qparams.h"

namespace intaglio {

inline constexpr std::string_view interface_key = "intaglio.interface";

struct InterfaceValue {
  std::string name;
  QParams params;  // real = scale * (code - zero_point), per tensor
};
struct Interface {
  std::vector<InterfaceValue> inputs, outputs;
  bool empty() const { return inputs.empty() && outputs.empty(); }
};

// The types of float graph inputs and outputs: u8, s8, or undefined for those that stay float.
struct InterfaceTypes {
  DType inputs = DType::undefined, outputs = DType::undefined;
  bool any() const { return inputs != DType::undefined || outputs != DType::undefined; }
};

// Gives a Q/DQ or QOperator model an interface of codes and writes it into the metadata. Where the
// codes inside are of the other type, a DequantizeLinear - QuantizeLinear pair converts them, which
// changes no value. Throws Code::unsupported, naming node and reason, when an input is
// read or an output made in float, and Code::config for codes that are not of 8 bits.
Interface quantize_interface(Model& model, InterfaceTypes types);

// What the metadata say of it; nullopt: the model has none. Throws Code::model for what is no such
// document.
std::optional<Interface> interface_of(const Model& model);

// Undoes quantize_interface(): the model takes and gives floats again. Nothing happens to a model
// without the metadata. Throws Code::model when it does not fit the graph.
void restore_float_interface(Model& model);

// {"inputs": [{"name", "type", "scale", "zero_point"}], "outputs": [...]}
Json to_json(const Interface& interface);

}  // namespace intaglio
