// The nodes of a model-local function, made ready to stand in the place of one call. Shared by the
// sources of lib/graph only: it speaks protobuf.
#pragma once

#include <google/protobuf/message.h>
#include <onnx/onnx_pb.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace intaglio {

// The values, messages as bytes, of a field that the classes of an older onnx may not have.
std::vector<std::string> newer_field(const google::protobuf::Message& message, int number);

// Every name that the nodes of a function define, nested graphs included.
std::set<std::string> defined_names(const onnx::FunctionProto& f);

// Calls f with every node of a list, those of nested graphs included.
template <typename Nodes, typename F>
void each_node(Nodes& nodes, F f) {
  for (auto& node : nodes) {
    f(node);
    for (const auto& attr : node.attribute())
      if (attr.has_g()) each_node(attr.g().node(), f);
  }
}

class FunctionBody {
 public:
  // names: what the inputs of the function are called where it is called; "" for an omitted one.
  // All other names get the prefix. Attributes that refer to those of the function take the value
  // that the call gives, or the default, or disappear. Throws Code::unsupported for a graph.
  FunctionBody(const onnx::FunctionProto& f, const onnx::NodeProto& call,
               std::map<std::string, std::string> names, std::string prefix);

  onnx::GraphProto& message() { return message_; }  // holds nodes only
  std::string renamed(const std::string& name) const;

 private:
  void rename(std::string* name) const { *name = renamed(*name); }
  void adapt(onnx::NodeProto& node) const;
  void adapt(onnx::GraphProto& graph) const;
  bool resolve(onnx::AttributeProto& attr) const;

  const onnx::NodeProto& call_;
  std::map<std::string, std::string> names_;
  std::string prefix_;
  std::map<std::string, onnx::AttributeProto> defaults_;
  onnx::GraphProto message_;
};

}  // namespace intaglio
