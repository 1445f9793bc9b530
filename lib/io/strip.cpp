#include "lib/io/strip.h"

#include <onnx/onnx_pb.h>

namespace intaglio {
namespace {

// Fields of messages of IR 10 and later that older libraries keep as unknown ones.
constexpr int metadata_of_node = 9, metadata_of_value = 4, metadata_of_tensor = 16,
              metadata_of_graph = 16, metadata_of_function = 14;

template <typename Message>
void drop(Message& message, int metadata_field) {
  message.clear_doc_string();
  const auto* descriptor = message.GetDescriptor()->FindFieldByNumber(metadata_field);
  const auto* reflection = message.GetReflection();
  if (descriptor != nullptr && descriptor->name() == "metadata_props")
    reflection->ClearField(&message, descriptor);
  reflection->MutableUnknownFields(&message)->DeleteByNumber(metadata_field);
}

void strip_graph(onnx::GraphProto& graph);

void strip_node(onnx::NodeProto& node) {
  drop(node, metadata_of_node);
  for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
    attribute.clear_doc_string();
    if (attribute.has_t()) drop(*attribute.mutable_t(), metadata_of_tensor);
    if (attribute.has_g()) strip_graph(*attribute.mutable_g());
    for (onnx::TensorProto& tensor : *attribute.mutable_tensors()) drop(tensor, metadata_of_tensor);
    for (onnx::GraphProto& graph : *attribute.mutable_graphs()) strip_graph(graph);
  }
}

void strip_graph(onnx::GraphProto& graph) {
  drop(graph, metadata_of_graph);
  for (auto* values : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
    for (onnx::ValueInfoProto& value : *values) drop(value, metadata_of_value);
  for (onnx::TensorProto& tensor : *graph.mutable_initializer()) drop(tensor, metadata_of_tensor);
  for (onnx::NodeProto& node : *graph.mutable_node()) strip_node(node);
}

}  // namespace

void strip(onnx::ModelProto& model) {
  model.clear_doc_string();
  strip_graph(*model.mutable_graph());
  for (onnx::FunctionProto& function : *model.mutable_functions()) {
    drop(function, metadata_of_function);
    for (onnx::NodeProto& node : *function.mutable_node()) strip_node(node);
  }
}

}  // namespace intaglio
