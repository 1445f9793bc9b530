#include "lib/graph/function_body.h"

#include <fmt/format.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>

#include "lib/base/error.h"

namespace intaglio {

std::vector<std::string> newer_field(const google::protobuf::Message& message, int number) {
  std::vector<std::string> found;
  const auto* reflection = message.GetReflection();
  if (const auto* field = message.GetDescriptor()->FindFieldByNumber(number)) {
    if (!field->is_repeated()) return {reflection->GetString(message, field)};
    for (int i = 0; i < reflection->FieldSize(message, field); ++i)
      found.push_back(reflection->GetRepeatedMessage(message, field, i).SerializeAsString());
    return found;
  }
  const auto& unknown = reflection->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i)
    if (unknown.field(i).number() == number &&
        unknown.field(i).type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      found.push_back(unknown.field(i).length_delimited());
  return found;
}

std::set<std::string> defined_names(const onnx::FunctionProto& f) {
  std::set<std::string> names(f.output().begin(), f.output().end());
  each_node(f.node(), [&](const onnx::NodeProto& node) {
    names.insert(node.output().begin(), node.output().end());
    for (const auto& attr : node.attribute()) {
      for (const auto& tensor : attr.g().initializer()) names.insert(tensor.name());
      for (const auto& sparse : attr.g().sparse_initializer()) names.insert(sparse.values().name());
      for (const auto& info : attr.g().input()) names.insert(info.name());
    }
  });
  return names;
}

FunctionBody::FunctionBody(const onnx::FunctionProto& f, const onnx::NodeProto& call,
                           std::map<std::string, std::string> names, std::string prefix)
    : call_(call), names_(std::move(names)), prefix_(std::move(prefix)) {
  for (const std::string& bytes : newer_field(f, 11)) {
    onnx::AttributeProto attr;
    attr.ParseFromString(bytes);
    defaults_[attr.name()] = std::move(attr);
  }
  *message_.mutable_node() = f.node();
  for (auto& node : *message_.mutable_node()) adapt(node);
}

std::string FunctionBody::renamed(const std::string& name) const {
  if (name.empty()) return name;
  const auto it = names_.find(name);
  return it != names_.end() ? it->second : prefix_ + name;
}

void FunctionBody::adapt(onnx::NodeProto& node) const {
  for (auto& name : *node.mutable_input()) rename(&name);
  for (auto& name : *node.mutable_output()) rename(&name);
  if (!node.name().empty()) node.set_name(prefix_ + node.name());
  auto& attributes = *node.mutable_attribute();
  for (int i = attributes.size(); i-- > 0;)
    if (!resolve(attributes[i])) attributes.DeleteSubrange(i, 1);
  for (auto& attr : attributes)
    if (attr.has_g()) adapt(*attr.mutable_g());
}

void FunctionBody::adapt(onnx::GraphProto& graph) const {
  for (auto& tensor : *graph.mutable_initializer()) rename(tensor.mutable_name());
  for (auto& sparse : *graph.mutable_sparse_initializer())
    rename(sparse.mutable_values()->mutable_name());
  for (auto& info : *graph.mutable_input()) rename(info.mutable_name());
  for (auto& info : *graph.mutable_output()) rename(info.mutable_name());
  for (auto& info : *graph.mutable_value_info()) rename(info.mutable_name());
  for (auto& node : *graph.mutable_node()) adapt(node);
}

// Replaces a reference by what the call gives, or by the default; false: there is neither.
bool FunctionBody::resolve(onnx::AttributeProto& attr) const {
  if (attr.ref_attr_name().empty()) return true;
  const std::string name = attr.name(), wanted = attr.ref_attr_name();
  const auto given = std::find_if(call_.attribute().begin(), call_.attribute().end(),
                                  [&](const auto& a) { return a.name() == wanted; });
  const auto fallback = defaults_.find(wanted);
  if (given != call_.attribute().end()) {
    if (given->type() == onnx::AttributeProto::GRAPH)
      throw Error(Code::unsupported,
                  fmt::format("attribute '{}' of a function is a graph", wanted));
    attr = *given;
  } else if (fallback != defaults_.end()) {
    attr = fallback->second;
  } else {
    return false;
  }
  attr.set_name(name);
  return true;
}

}  // namespace intaglio
