// What an operator takes, makes and may be told: the operator schemas of ONNX as data.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/tensor/dtype.h"

namespace intaglio {

class Node;

// One formal input or output.
struct Parameter {
  std::string_view name;
  bool optional = false;
  bool variadic = false;      // the last one: any number of them
  bool alike = true;          // of a variadic one: all are of one type
  std::string_view variable;  // "T": parameters with the same variable have the same type
  std::uint64_t types = 0;    // bit n: element type number n; bit 0: sequences, optionals, maps
  // Not a type that is unknown here: tensors may be of any number.
  bool allows(DType type) const {
    const auto number = static_cast<unsigned>(type);
    return number < 64 && (types >> number & 1) != 0;
  }
};

struct AttributeSchema {
  std::string_view name;
  char kind = 'i';  // as in op_schema_table.h
  bool required = false;
};

struct OpSchema {
  std::string_view op;
  std::int64_t since = 1;  // first opset of this version
  bool gone = false;       // the operator was taken out in that opset
  std::vector<Parameter> inputs, outputs;
  std::size_t least_inputs = 0, least_outputs = 0;
  std::vector<AttributeSchema> attributes;

  // Null: past the last one.
  const Parameter* input(std::size_t i) const { return parameter(inputs, i); }
  const Parameter* output(std::size_t i) const { return parameter(outputs, i); }
  const AttributeSchema* attribute(std::string_view name) const;

 private:
  static const Parameter* parameter(const std::vector<Parameter>& list, std::size_t i);
};

// That of the newest version that is not newer than the opset of the node; null for operators that
// neither ONNX nor com.microsoft has, or not yet.
const OpSchema* schema_of(const Node& node);

// The opset in which ONNX got it; 0: no version of ONNX has it.
std::int64_t first_opset_of(std::string_view op);

// All of a domain, every version.
const std::vector<OpSchema>& op_schemas(std::string_view domain);

}  // namespace intaglio
