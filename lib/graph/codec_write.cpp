#include <utility>

#include "lib/graph/codec.h"

namespace intaglio {

void write_dims(const Dims& dims, onnx::TensorShapeProto& shape) {
  for (const Dim& dim : dims) {
    auto& axis = *shape.add_dim();
    if (dim.known()) axis.set_dim_value(dim.value);
    if (!dim.known() && !dim.symbol.empty()) axis.set_dim_param(dim.symbol);
  }
}

void GraphWriter::write_value_info(const Value& value, const onnx::ValueInfoProto* said,
                                   onnx::ValueInfoProto& message) {
  if (said != nullptr) message = *said;
  message.set_name(value.name());
  if (said != nullptr && !value.retyped_) return;
  if (value.dtype() == DType::undefined) return;
  auto& type = *message.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(value.dtype()));
  type.clear_shape();
  if (value.dims()) write_dims(*value.dims(), *type.mutable_shape());
}

void GraphWriter::write_initializer(const Value& value, onnx::TensorProto& message,
                                    const TensorSink& sink) {
  const Tensor& tensor = value.constant();
  message.set_name(value.name());
  message.set_data_type(static_cast<int>(tensor.dtype()));
  message.mutable_dims()->Assign(tensor.shape().begin(), tensor.shape().end());
  if (sink && sink(value, message)) return;
  if (value.initializer_ != nullptr) {
    message = *value.initializer_;
  } else {
    fill(message, value.name(), tensor);
  }
}

void GraphWriter::write_graph(const Graph& graph, onnx::GraphProto& message,
                              const TensorSink& sink) {
  message = *graph.rest_;
  message.clear_value_info();
  for (const auto& info : graph.rest_->value_info()) {
    const Value* value = graph.find(info.name());
    if (graph.stray_infos_.contains(info.name())) {
      *message.add_value_info() = info;
    } else if (value != nullptr && value->info_ != nullptr && !value->is_input_) {
      write_value_info(*value, value->info_.get(), *message.add_value_info());
    }
  }
  for (const Node* node : graph.nodes()) {
    onnx::NodeProto& proto = *message.add_node();
    proto = *node->proto_;
    for (const Value* value : node->inputs_) proto.add_input(value != nullptr ? value->name_ : "");
    for (const Value* value : node->outputs_)
      proto.add_output(value != nullptr ? value->name_ : "");
    for (auto& attr : *proto.mutable_attribute())
      for (const auto& [name, nested] : node->nested_)
        if (name == attr.name()) write_graph(*nested, *attr.mutable_g(), sink);
  }
  for (const Value* value : graph.inputs_)
    write_value_info(*value, value->info_.get(), *message.add_input());
  for (std::size_t i = 0; i < graph.outputs_.size(); ++i) {
    onnx::ValueInfoProto& info = *message.add_output();
    write_value_info(*graph.outputs_[i], graph.output_infos_[i].get(), info);
    // The standard wants a type and a shape there, which some exporters leave out.
    if (!info.has_type() && graph.outputs_[i]->dtype_learned_)
      info.mutable_type()->mutable_tensor_type()->set_elem_type(
          static_cast<int>(graph.outputs_[i]->dtype()));
    const auto& dims = graph.outputs_[i]->dims();
    if (dims && info.type().has_tensor_type() && !info.type().tensor_type().has_shape())
      write_dims(*dims, *info.mutable_type()->mutable_tensor_type()->mutable_shape());
  }
  for (const auto& value : graph.values_) {
    if (value->sparse_ != nullptr) {
      *message.add_sparse_initializer() = *value->sparse_;
    } else if (value->is_constant()) {
      write_initializer(*value, *message.add_initializer(), sink);
    }
  }
}

namespace {

void plain_nodes(google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes) {
  for (onnx::NodeProto& node : nodes) {
    if (node.has_domain()) node.set_domain(plain_domain(node.domain()));
    for (auto& attr : *node.mutable_attribute()) {
      if (attr.has_g()) plain_nodes(*attr.mutable_g()->mutable_node());
      for (auto& graph : *attr.mutable_graphs()) plain_nodes(*graph.mutable_node());
    }
  }
}

// "ai.onnx" becomes "", which is imported once.
void plain_imports(google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto>& imports) {
  bool found = false;
  for (int i = 0; i < imports.size(); ++i) {
    auto& import = *imports.Mutable(i);
    if (!plain_domain(import.domain()).empty()) continue;
    import.set_domain("");
    if (std::exchange(found, true)) imports.DeleteSubrange(i--, 1);
  }
}

}  // namespace

void plain_domains(onnx::ModelProto& message) {
  plain_imports(*message.mutable_opset_import());
  plain_nodes(*message.mutable_graph()->mutable_node());
  for (auto& function : *message.mutable_functions()) {
    plain_imports(*function.mutable_opset_import());
    plain_nodes(*function.mutable_node());
  }
}

onnx::ModelProto GraphWriter::write(const Model& model, const TensorSink& sink) {
  onnx::ModelProto message = *model.rest_;
  auto missing = *model.opsets_;
  for (auto& import : *message.mutable_opset_import()) {
    const auto it = model.opsets_->find(plain_domain(import.domain()));
    if (it == model.opsets_->end()) continue;
    if (import.version() != it->second) import.set_version(it->second);
    missing.erase(it->first);
  }
  if (message.ir_version() >= 3 || message.opset_import_size() > 0) {
    for (const auto& [domain, version] : missing) {
      auto& import = *message.add_opset_import();
      import.set_domain(domain);
      import.set_version(version);
    }
  }
  write_graph(*model.graph_, *message.mutable_graph(), sink);
  return message;
}

onnx::ModelProto to_proto(const Model& model, const TensorSink& sink) {
  return GraphWriter::write(model, sink);
}

}  // namespace intaglio
