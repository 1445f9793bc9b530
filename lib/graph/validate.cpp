#include "lib/graph/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "lib/base/error.h"
#include "lib/graph/bounds.h"
#include "lib/graph/codec.h"
#include "lib/graph/op_schema.h"
#include "lib/graph/op_schema_table.h"

namespace intaglio {
namespace {

[[noreturn]] void refuse(const Node& node, const std::string& what) {
  throw Error(Code::model, fmt::format("{}: {}", node.label(), what),
              "The export is broken: export the model again.");
}

// Operators of other domains than ONNX's grow without a new version.
bool grows(const Node& node) { return !node.domain().empty(); }

std::string operator_of(const Node& node) {
  return fmt::format("{}{} of opset {}", node.domain().empty() ? "" : node.domain() + ".",
                     node.op(), node.opset());
}

// --- Inputs and outputs ---

// The number of them without the omitted ones at the end.
std::size_t given(std::span<Value* const> values) {
  std::size_t count = values.size();
  while (count > 0 && values[count - 1] == nullptr) --count;
  return count;
}

std::string range(const std::vector<Parameter>& list, std::size_t least) {
  const bool any = !list.empty() && list.back().variadic;
  if (any) return fmt::format("{} or more", least);
  return list.size() == least ? std::to_string(least) : fmt::format("{} to {}", least, list.size());
}

// may_omit: there may be fewer than the least number.
void require_count(const Node& node, std::span<Value* const> values,
                   const std::vector<Parameter>& list, std::size_t least, const char* what,
                   bool may_omit) {
  const std::size_t count = given(values);
  const bool more = count > list.size() && (list.empty() || !list.back().variadic);
  if ((count < least && !may_omit) || (more && !grows(node)))
    refuse(node, fmt::format("has {} {}{}: {} has {}", count, what, count == 1 ? "" : "s",
                             operator_of(node), range(list, least)));
}

void require_inputs(const Node& node, const OpSchema& schema) {
  require_count(node, node.inputs(), schema.inputs, schema.least_inputs, "input", false);
  const std::size_t count = given(node.inputs());
  for (std::size_t i = 0; i < count; ++i) {
    const Parameter* p = schema.input(i);
    if (p != nullptr && node.input(i) == nullptr && !p->optional && !p->variadic)
      refuse(node, fmt::format("input {} ('{}') is left out: {} needs it", i + 1, p->name,
                               operator_of(node)));
  }
}

// Any output may be left out, but there are no more than the operator has.
void require_outputs(const Node& node, const OpSchema& schema) {
  require_count(node, node.outputs(), schema.outputs, schema.least_outputs, "output", true);
  if (given(node.outputs()) == 0) refuse(node, "makes nothing: none of its outputs has a name");
}

// --- Attributes ---

std::string_view kind_name(char kind) {
  switch (kind) {
    case 'i':
      return "an integer";
    case 'I':
      return "a list of integers";
    case 'f':
      return "a float";
    case 'F':
      return "a list of floats";
    case 's':
      return "a string";
    case 'S':
      return "a list of strings";
    case 't':
      return "a tensor";
    case 'p':
      return "a sparse tensor";
    case 'g':
      return "a graph";
    case 'y':
      return "a type";
    default:
      return "of another kind";
  }
}

void require_attribute(const Node& node, const OpSchema& schema, const std::string& name) {
  const AttributeSchema* attribute = schema.attribute(name);
  if (attribute == nullptr) {
    if (grows(node) || name.starts_with("__")) return;
    refuse(node, fmt::format("attribute '{}': {} has none of this name", name, operator_of(node)));
  }
  const char kind = node.attr_kind(name);
  if (kind != '?' && kind != attribute->kind)
    refuse(node, fmt::format("attribute '{}' is {}: it must be {}", name, kind_name(kind),
                             kind_name(attribute->kind)));
}

void require_attributes(const Node& node, const OpSchema& schema) {
  std::set<std::string> seen;
  for (const std::string& name : node.attrs()) {
    if (!seen.insert(name).second) refuse(node, fmt::format("attribute '{}' is given twice", name));
    require_attribute(node, schema, name);
  }
  for (const AttributeSchema& attribute : schema.attributes)
    if (attribute.required && !seen.contains(std::string(attribute.name)))
      refuse(node, fmt::format("attribute '{}' is missing: {} needs it", attribute.name,
                               operator_of(node)));
}

// --- Element types ---

void require_types(const Node& node, const OpSchema& schema, std::span<const ValueType> inputs) {
  std::map<std::string_view, std::pair<DType, std::size_t>> variables;
  for (std::size_t i = 0; i < std::min(inputs.size(), node.inputs().size()); ++i) {
    const Parameter* p = schema.input(i);
    const DType type = inputs[i].dtype;
    if (p == nullptr || node.input(i) == nullptr || type == DType::undefined) continue;
    if (!p->allows(type))
      refuse(node, fmt::format("input {} ('{}') is of type {}, which {} does not take", i + 1,
                               node.input(i)->name(), name_of(type), operator_of(node)));
    if (p->variable.empty() || !p->alike) continue;
    const auto [it, first] = variables.try_emplace(p->variable, type, i);
    if (!first && it->second.first != type)
      refuse(node, fmt::format("inputs {} and {} must be of one type; '{}' is of type {}, '{}' of "
                               "type {}",
                               it->second.second + 1, i + 1, node.input(it->second.second)->name(),
                               name_of(it->second.first), node.input(i)->name(), name_of(type)));
  }
}

// But for shapes.
std::vector<ValueType> said_inputs(const Node& node) {
  std::vector<ValueType> inputs;
  for (const Value* value : node.inputs())
    inputs.push_back(value != nullptr ? ValueType{value->dtype(), std::nullopt, value->constant()}
                                      : ValueType{});
  return inputs;
}

// An operator of ONNX that its opset has not. onnxruntime has some of them under every opset, and saves
// models that hold them so.
void require_early(const Node& node) {
  const std::int64_t first = first_opset_of(node.op());
  if (first == 0)
    throw Error(Code::unsupported,
                fmt::format("{}: has no kernel: ONNX has no operator of this name", node.label()),
                "Export the model without this operator.");
  for (const std::string_view op :
       {"LayerNormalization", "MeanVarianceNormalization", "ThresholdedRelu"})
    if (node.op() == op) return;
  refuse(node, fmt::format("ONNX has this operator since opset {}, and the model imports opset {}",
                           first, node.opset()));
}

void require_kinds(const Graph& graph) {
  for (const Node* node : graph.nodes()) {
    for (const std::string& name : node->attrs())
      if (node->attr_kind(name) == '?')
        refuse(*node, fmt::format("attribute '{}' says not of which kind it is", name));
    for (const auto& [attr, nested] : node->nested_graphs()) require_kinds(*nested);
  }
}

}  // namespace

void require_known_versions(const Model& model) {
  // Older files leave kinds out.
  if (model.ir_version() >= 3) require_kinds(model.graph());
  if (model.ir_version() < 1)
    throw Error(Code::model, "the model states no version of the format (ir_version)",
                "Export the model again.");
  if (model.ir_version() > newest_ir())
    throw Error(Code::unsupported,
                fmt::format("IR version {} is newer than the newest that is known, {}",
                            model.ir_version(), newest_ir()),
                "Export the model with an older version of onnx.");
  for (const auto& [domain, version] : model.opsets()) {
    const std::string name = domain.empty() ? "ai.onnx" : domain;
    if (version < 1)
      throw Error(Code::model,
                  fmt::format("operator set '{}' is imported as version {}: versions begin at 1",
                              name, version),
                  "Export the model again.");
    if (domain.empty() && version > newest_opset())
      throw Error(Code::unsupported,
                  fmt::format("opset {} is newer than the newest that is known, {}", version,
                              newest_opset()),
                  fmt::format("Export the model for opset {} or older.", newest_opset()));
  }
}

void require_typed_inputs(const Graph& graph) {
  for (const Value* input : graph.inputs())
    if (!GraphWriter::says_type(*input))
      throw Error(Code::model, fmt::format("graph input '{}' has no type", input->name()),
                  "Export the model again: the graph is incomplete.");
}

void require_valid(const Node& node, std::span<const ValueType> inputs) {
  if (node.opset() == 0 && node.domain() != "com.microsoft")
    refuse(node, fmt::format("the model does not import the operator set '{}'",
                             node.domain().empty() ? "ai.onnx" : node.domain()));
  const OpSchema* schema = schema_of(node);
  if (node.domain().empty() && schema == nullptr) require_early(node);
  if (schema == nullptr) return;
  require_inputs(node, *schema);
  require_outputs(node, *schema);
  require_attributes(node, *schema);
  if (!grows(node)) require_types(node, *schema, inputs);
  if (const auto why = broken_bound(node, inputs)) refuse(node, *why);
  for (const auto& [attr, nested] : node.nested_graphs())
    for (const Node* inner : nested->nodes()) require_valid(*inner, said_inputs(*inner));
}

}  // namespace intaglio
