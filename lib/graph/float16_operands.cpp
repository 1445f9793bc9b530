#include "lib/graph/float16_operands.h"

#include <onnx/defs/schema.h>

#include <set>
#include <string>

namespace intaglio {
namespace {

using Formal = onnx::OpSchema::FormalParameter;

// The last parameter may stand for any number of them.
const Formal* formal_at(const std::vector<Formal>& formals, std::size_t i) {
  if (i < formals.size()) return &formals[i];
  const bool variadic = !formals.empty() && formals.back().GetOption() == onnx::OpSchema::Variadic;
  return variadic ? &formals.back() : nullptr;
}

bool takes_float16(const Formal& formal) {
  for (const auto type : formal.GetTypes())
    if (*type == "tensor(float16)") return true;
  return false;
}

bool is_f32(const Value* value) { return value != nullptr && value->dtype() == DType::f32; }

}  // namespace

Float16Operands float16_operands(const Node& node) {
  Float16Operands places{std::vector<bool>(node.inputs().size()),
                         std::vector<bool>(node.outputs().size())};
  const auto* schema =
      onnx::OpSchemaRegistry::Schema(node.op(), static_cast<int>(node.opset()), node.domain());
  if (schema == nullptr) return places;
  std::set<std::string> changed;  // type variables of the definition: "T"
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    const Formal* formal = formal_at(schema->inputs(), i);
    if (formal == nullptr || !is_f32(node.input(i)) || !takes_float16(*formal)) continue;
    places.inputs[i] = true;
    changed.insert(formal->GetTypeStr());
  }
  for (std::size_t i = 0; i < node.outputs().size(); ++i) {
    const Formal* formal = formal_at(schema->outputs(), i);
    places.outputs[i] =
        formal != nullptr && is_f32(node.output(i)) && changed.contains(formal->GetTypeStr());
  }
  return places;
}

}  // namespace intaglio
