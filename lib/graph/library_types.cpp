#include "lib/graph/library_types.h"

#include <onnx/defs/schema.h>
#include <onnx/defs/shape_inference.h>

#include <exception>
#include <map>
#include <stdexcept>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/graph/bounds.h"
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

// What the library's rule for an operator asks of its node. The rules take much for granted: where
// something is not known or not there, it ends with an exception and not with a null pointer.
class OneNode final : public onnx::InferenceContext {
 public:
  explicit OneNode(const onnx::GraphProto& graph)
      : node_(graph.node(0)), outputs_(static_cast<std::size_t>(node_.output_size())) {
    for (const auto& input : graph.input()) types_[input.name()] = &input.type();
    for (const auto& constant : graph.initializer()) constants_[constant.name()] = &constant;
  }

  const onnx::AttributeProto* getAttribute(const std::string& name) const override {
    for (const auto& attribute : node_.attribute())
      if (attribute.name() == name) return &attribute;
    return nullptr;
  }
  std::size_t getNumInputs() const override { return static_cast<std::size_t>(node_.input_size()); }
  const onnx::TypeProto* getInputType(std::size_t i) const override {
    const onnx::TypeProto* type = types_.at(name_of_input(i));
    if (type->value_case() == onnx::TypeProto::VALUE_NOT_SET)
      throw std::out_of_range("the type of an input is not known");
    return type;
  }
  const onnx::TensorProto* getInputData(std::size_t i) const override {
    const auto found = constants_.find(name_of_input(i));
    return found != constants_.end() ? found->second : nullptr;
  }
  const onnx::SparseTensorProto* getInputSparseData(std::size_t) const override { return nullptr; }
  const onnx::TensorShapeProto* getSymbolicInput(std::size_t) const override { return nullptr; }
  std::size_t getNumOutputs() const override { return outputs_.size(); }
  onnx::TypeProto* getOutputType(std::size_t i) override { return &outputs_.at(i); }
  onnx::GraphInferencer* getGraphAttributeInferencer(const std::string&) override {
    throw std::out_of_range("nodes with nested graphs are not asked about");
  }

  const onnx::TypeProto& output(std::size_t i) const { return outputs_.at(i); }

 private:
  const std::string& name_of_input(std::size_t i) const {
    if (i >= getNumInputs()) throw std::out_of_range("there is no such input");
    return node_.input(static_cast<int>(i));
  }

  const onnx::NodeProto& node_;
  std::map<std::string, const onnx::TypeProto*> types_;
  std::map<std::string, const onnx::TensorProto*> constants_;
  std::vector<onnx::TypeProto> outputs_;
};

std::vector<ValueType> inferred(const onnx::GraphProto& graph, const Node& node) {
  const auto* schema =
      onnx::OpSchemaRegistry::Schema(node.op(), static_cast<int>(node.opset()), node.domain());
  if (schema == nullptr || !schema->has_type_and_shape_inference_function()) return {};
  OneNode context(graph);
  schema->GetTypeAndShapeInferenceFunction()(context);
  std::vector<ValueType> types;
  for (std::size_t i = 0; i < node.outputs().size(); ++i) {
    onnx::ValueInfoProto info;
    *info.mutable_type() = context.output(i);
    types.push_back(value_type(info));
  }
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

onnx::GraphProto GraphWriter::graph_of(const Node& node, std::span<const ValueType> inputs) {
  onnx::GraphProto graph;
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
  return graph;
}

bool GraphWriter::says_type(const Value& value) {
  if (value.dtype() != DType::undefined) return true;
  return value.info_ != nullptr &&
         value.info_->type().value_case() != onnx::TypeProto::VALUE_NOT_SET;
}

std::vector<ValueType> library_types(const Node& node, std::span<const ValueType> inputs) {
  if (!node.nested_graphs().empty()) return {};
  try {
    // The library takes for granted what no bound breaks.
    if (const auto why = broken_bound(node, inputs)) throw Error(Code::model, *why);
    return inferred(GraphWriter::graph_of(node, inputs), node);
  } catch (const std::exception& e) {
    log::debug("{}: shape inference stopped: {}", node.label(), e.what());
    return {};
  }
}

}  // namespace intaglio
