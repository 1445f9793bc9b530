#include "lib/graph/library_types.h"

#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

#include <exception>

#include "lib/base/log.h"
#include "lib/graph/codec.h"

namespace intaglio {
namespace {

constexpr std::size_t small_tensor = 4096;  // bytes that shapes may be computed with

void describe(const ValueType& type, onnx::ValueInfoProto& message) {
  if (type.dtype == DType::undefined) return;
  auto& tensor = *message.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(static_cast<int>(type.dtype));
  tensor.clear_shape();
  if (type.dims) write_dims(*type.dims, *tensor.mutable_shape());
}

std::vector<ValueType> inferred(onnx::ModelProto& message, const Node& node) {
  const onnx::ShapeInferenceOptions options(false, 0, /*data_prop_val=*/false);
  onnx::shape_inference::InferShapes(message, onnx::OpSchemaRegistry::Instance(), options);
  std::vector<ValueType> types(node.outputs().size());
  for (std::size_t i = 0; i < types.size(); ++i)
    for (const auto& info : message.graph().value_info())
      if (node.output(i) != nullptr && info.name() == node.output(i)->name())
        types[i] = value_type(info);
  return types;
}

}  // namespace

ValueType value_type(const onnx::ValueInfoProto& info) {
  ValueType result;
  if (!info.type().has_tensor_type()) return result;
  const auto& type = info.type().tensor_type();
  result.dtype = static_cast<DType>(type.elem_type());
  if (!type.has_shape()) return result;
  result.dims.emplace();
  for (const auto& dim : type.shape().dim())
    result.dims->push_back({dim.has_dim_value() ? dim.dim_value() : -1, dim.dim_param()});
  return result;
}

onnx::ModelProto GraphWriter::model_of(const Node& node, std::span<const ValueType> inputs) {
  onnx::ModelProto message;
  message.set_ir_version(onnx::Version::IR_VERSION);
  auto& import = *message.add_opset_import();
  import.set_domain(node.domain());
  import.set_version(node.opset());
  onnx::GraphProto& graph = *message.mutable_graph();
  onnx::NodeProto& proto = *graph.add_node();
  proto = *node.proto_;
  proto.set_domain(node.domain());
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    const Value* value = node.input(i);
    proto.add_input(value != nullptr ? value->name() : "");
    if (value == nullptr || i >= inputs.size()) continue;
    onnx::ValueInfoProto& info = *graph.add_input();
    if (value->info_ != nullptr && !value->retyped_) info = *value->info_;
    info.set_name(value->name());
    describe(inputs[i], info);
    const Tensor& constant = inputs[i].constant;
    if (constant.defined() && constant.bytes() <= small_tensor)
      fill(*graph.add_initializer(), value->name(), constant);
  }
  for (const Value* value : node.outputs()) proto.add_output(value != nullptr ? value->name() : "");
  return message;
}

std::vector<ValueType> library_types(const Node& node, std::span<const ValueType> inputs) {
  if (!node.nested_graphs().empty()) return {};
  try {
    onnx::ModelProto message = GraphWriter::model_of(node, inputs);
    return inferred(message, node);
  } catch (const std::exception& e) {
    log::debug("{}: shape inference stopped: {}", node.label(), e.what());
    return {};
  }
}

}  // namespace intaglio
