// The operator schemas of ONNX as text, one line for each version of each operator:
//
//   Conv 11|X:T W:T B?:T|Y:T|auto_pad:s group:i ...|T=c02
//
// name and first opset ("gone": no longer in that opset) | inputs | outputs | attributes | types.
// A parameter is name:type; "?" may be omitted, "*" any number of one type, "**" any number of any
// type, then with the least number of the node's inputs (or outputs) behind it. A type is a
// variable or a set; a set has one bit for each number of TensorProto.DataType, bit 0 for what is
// no tensor. An attribute is name:kind, "!" when it is required; kinds are i, f, s for an integer,
// a float, a string, I, F, S for lists of them, t for a tensor, p for a sparse one, g for a graph
// and y for a type.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace intaglio {

const std::vector<std::string_view>& onnx_schemas();       // domain ""
const std::vector<std::string_view>& ml_schemas();         // ai.onnx.ml
const std::vector<std::string_view>& microsoft_schemas();  // com.microsoft
std::int64_t newest_opset();                               // of domain ""
std::int64_t newest_ir();

}  // namespace intaglio
