#include "lib/graph/codec.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace intaglio {
namespace {

using onnx::AttributeProto;
using onnx::TensorProto;

constexpr std::size_t small_tensor = 4096;  // bytes that shape inference may want to look into

std::string plain_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

Shape shape_of(const TensorProto& message) { return {message.dims().begin(), message.dims().end()}; }

template <typename T, typename Field>
Tensor from_field(DType type, Shape shape, const Field& field) {
  Tensor tensor(type, std::move(shape));
  const std::size_t wanted = tensor.bytes() / sizeof(T);
  if (static_cast<std::size_t>(field.size()) != wanted)
    throw Error(Code::model, fmt::format("shape {} needs {} elements, the file holds {}",
                                         to_string(tensor.shape()), wanted, field.size()));
  auto* out = reinterpret_cast<T*>(tensor.raw_mutate());
  for (const auto value : field) *out++ = static_cast<T>(value);
  return tensor;
}

// The typed fields of TensorProto; which type goes into which is written in onnx.proto.
Tensor from_typed_data(const TensorProto& m, DType type, Shape shape) {
  switch (type) {
    case DType::f32: return from_field<float>(type, std::move(shape), m.float_data());
    case DType::f64: return from_field<double>(type, std::move(shape), m.double_data());
    case DType::s64: return from_field<std::int64_t>(type, std::move(shape), m.int64_data());
    case DType::u64: return from_field<std::uint64_t>(type, std::move(shape), m.uint64_data());
    case DType::u32: return from_field<std::uint32_t>(type, std::move(shape), m.uint64_data());
    case DType::s32: return from_field<std::int32_t>(type, std::move(shape), m.int32_data());
    case DType::f16:
    case DType::bf16:
    case DType::u16:
    case DType::s16: return from_field<std::uint16_t>(type, std::move(shape), m.int32_data());
    case DType::u8:
    case DType::s8:
    case DType::boolean:
    case DType::u4:
    case DType::s4: return from_field<std::uint8_t>(type, std::move(shape), m.int32_data());
    default: return Tensor(type, std::move(shape));  // strings and types we cannot compute with
  }
}

void require_aligned(Tensor& tensor) {
  const std::size_t width = std::max<std::size_t>(bits_of(tensor.dtype()) / 8, 1);
  if (reinterpret_cast<std::uintptr_t>(tensor.raw()) % width != 0) tensor.raw_mutate();  // copies
}

}  // namespace

Tensor GraphCodec::tensor_of(const std::shared_ptr<const TensorProto>& message,
                             const TensorSource& source) {
  const auto type = static_cast<DType>(message->data_type());
  Shape shape = shape_of(*message);
  const std::size_t bytes = Tensor::bytes_for(type, shape);
  if (message->data_location() == TensorProto::EXTERNAL) {
    if (!source)
      throw Error(Code::unsupported, "its data lies outside of the model file",
                  "Save the model with only initializers stored externally.");
    Tensor tensor = Tensor::view(type, std::move(shape), source(*message, bytes));
    require_aligned(tensor);
    return tensor;
  }
  if (!message->has_raw_data()) return from_typed_data(*message, type, std::move(shape));
  if (bits_of(type) != 0 && message->raw_data().size() != bytes)
    throw Error(Code::model, fmt::format("shape {} of type {} needs {} bytes, the file holds {}",
                                         to_string(shape), name_of(type), bytes,
                                         message->raw_data().size()));
  const auto* raw = reinterpret_cast<const std::byte*>(message->raw_data().data());
  Tensor tensor = Tensor::view(type, std::move(shape), {message, raw});
  require_aligned(tensor);
  return tensor;
}

void GraphCodec::fill(TensorProto& message, const std::string& name, const Tensor& tensor) {
  message.set_name(name);
  message.set_data_type(static_cast<int>(tensor.dtype()));
  message.mutable_dims()->Assign(tensor.shape().begin(), tensor.shape().end());
  message.set_raw_data(tensor.raw(), tensor.bytes());
}

void GraphCodec::read_type(const onnx::ValueInfoProto& info, Value& value) {
  if (!info.type().has_tensor_type()) return;
  const auto& type = info.type().tensor_type();
  value.dtype_ = static_cast<DType>(type.elem_type());
  if (!type.has_shape()) return;
  value.dims_.emplace();
  for (const auto& dim : type.shape().dim())
    value.dims_->push_back({dim.has_dim_value() ? dim.dim_value() : -1, dim.dim_param()});
}

namespace {

Error twice(const std::string& name, const std::string& where) {
  return Error(Code::model, fmt::format("value '{}' is defined twice, again by {}", name, where),
               "Export the model again: every value must have one definition.");
}

}  // namespace

void GraphCodec::read_graph(onnx::GraphProto& message, Graph& graph, const TensorSource& source) {
  for (auto& info : *message.mutable_input()) {
    if (graph.find(info.name()) != nullptr) throw twice(info.name(), "a graph input");
    Value& value = graph.create(info.name());
    value.is_input_ = true;
    read_type(info, value);
    value.info_ = std::make_unique<onnx::ValueInfoProto>(std::move(info));
    graph.inputs_.push_back(&value);
  }
  for (auto& initializer : *message.mutable_initializer()) {
    Value* value = graph.find(initializer.name());
    if (value == nullptr) value = &graph.create(initializer.name());
    if (value->is_constant()) throw twice(initializer.name(), "an initializer");
    const auto kept = std::make_shared<const TensorProto>(std::move(initializer));
    try {
      value->set_constant(tensor_of(kept, source));
    } catch (const Error& e) {
      throw e.within(fmt::format("initializer '{}'", kept->name()));
    }
    if (kept->data_location() != TensorProto::EXTERNAL) value->initializer_ = kept;
  }
  for (const auto& sparse : message.sparse_initializer())
    if (graph.find(sparse.values().name()) == nullptr) graph.create(sparse.values().name());

  for (auto& proto : *message.mutable_node()) {
    graph.nodes_.push_back(std::unique_ptr<Node>(new Node(graph)));
    Node& node = *graph.nodes_.back();
    *node.proto_ = std::move(proto);
    for (const std::string& name : node.proto_->output()) {
      Value* value = nullptr;
      if (!name.empty()) {
        if (graph.find(name) != nullptr) throw twice(name, node.label());
        value = &graph.create(name);
        value->producer_ = &node;
      }
      node.outputs_.push_back(value);
    }
    node.proto_->clear_output();
  }
  for (const auto& node : graph.nodes_) {
    for (const std::string& name : node->proto_->input()) {
      Value* value = name.empty() ? nullptr : graph.resolve(name);
      if (value == nullptr && !name.empty())
        throw Error(Code::model,
                    fmt::format("{} reads '{}', which is no input, no initializer and made by no node",
                                node->label(), name),
                    "Export the model again: the graph is incomplete.");
      node->inputs_.push_back(nullptr);
      graph.link(*node, node->inputs_.size() - 1, value);
    }
    node->proto_->clear_input();
    for (auto& attr : *node->proto_->mutable_attribute()) {
      if (attr.type() != AttributeProto::GRAPH) continue;
      auto nested = std::make_unique<Graph>(graph.opsets_, &graph);
      nested->owner_ = node.get();
      read_graph(*attr.mutable_g(), *nested, source);
      attr.clear_g();
      node->nested_.emplace_back(attr.name(), std::move(nested));
    }
  }
  for (auto& info : *message.mutable_output()) {
    Value* value = graph.resolve(info.name());
    if (value == nullptr)
      throw Error(Code::model, fmt::format("nothing makes the graph output '{}'", info.name()),
                  "Export the model again: the graph is incomplete.");
    value->is_output_ = true;
    if (value->dtype_ == DType::undefined) read_type(info, *value);
    if (value->info_ == nullptr)
      value->info_ = std::make_unique<onnx::ValueInfoProto>(std::move(info));
    graph.outputs_.push_back(value);
  }
  for (const auto& info : message.value_info()) {
    Value* value = graph.find(info.name());
    if (value == nullptr || value->info_ != nullptr) {
      graph.stray_infos_.insert(info.name());
      continue;
    }
    if (!value->is_constant()) read_type(info, *value);
    value->info_ = std::make_unique<onnx::ValueInfoProto>(info);
  }
  message.clear_node();
  message.clear_initializer();
  message.clear_input();
  message.clear_output();
  *graph.rest_ = std::move(message);
  graph.nodes();  // a cycle is an error now, not later
}

Model GraphCodec::from_proto(onnx::ModelProto&& message, const TensorSource& source) {
  if (!message.has_graph())
    throw Error(Code::model, "the file holds no graph", "Check that this is an ONNX model.");
  Model model;
  model.opsets_->clear();
  for (const auto& import : message.opset_import())
    (*model.opsets_)[plain_domain(import.domain())] = import.version();
  if (model.opsets_->empty()) (*model.opsets_)[""] = 1;  // IR 1 and 2 had no imports
  read_graph(*message.mutable_graph(), *model.graph_, source);
  message.clear_graph();
  *model.rest_ = std::move(message);
  return model;
}

void GraphCodec::write_value_info(const Value& value, onnx::ValueInfoProto& message) {
  if (value.info_ != nullptr) message = *value.info_;
  message.set_name(value.name());
  if (value.dtype() == DType::undefined) return;
  if (message.has_type() && !message.type().has_tensor_type()) return;  // sequences, maps: as they were
  auto& type = *message.mutable_type()->mutable_tensor_type();
  if (type.elem_type() != static_cast<int>(value.dtype()))
    type.set_elem_type(static_cast<int>(value.dtype()));
  if (value.info_ != nullptr && message.type().tensor_type().has_shape()) return;
  if (value.info_ == nullptr && value.dims()) {
    auto& shape = *type.mutable_shape();
    for (const Dim& dim : *value.dims()) {
      auto& axis = *shape.add_dim();
      if (dim.known()) axis.set_dim_value(dim.value);
      if (!dim.known() && !dim.symbol.empty()) axis.set_dim_param(dim.symbol);
    }
  }
}

void GraphCodec::write_graph(const Graph& graph, onnx::GraphProto& message, const TensorSink& sink,
                             bool weights) {
  message = *graph.rest_;
  message.clear_value_info();
  for (const auto& info : graph.rest_->value_info()) {
    const Value* value = graph.find(info.name());
    if (graph.stray_infos_.contains(info.name())) {
      *message.add_value_info() = info;
    } else if (value != nullptr && value->info_ != nullptr && !value->is_input_) {
      write_value_info(*value, *message.add_value_info());
    }
  }
  for (const Node* node : graph.nodes()) {
    onnx::NodeProto& proto = *message.add_node();
    proto = *node->proto_;
    for (const Value* value : node->inputs_) proto.add_input(value != nullptr ? value->name_ : "");
    for (const Value* value : node->outputs_) proto.add_output(value != nullptr ? value->name_ : "");
    for (auto& attr : *proto.mutable_attribute())
      for (const auto& [name, nested] : node->nested_)
        if (name == attr.name()) write_graph(*nested, *attr.mutable_g(), sink, weights);
  }
  for (const Value* value : graph.inputs_) write_value_info(*value, *message.add_input());
  for (const Value* value : graph.outputs_) {
    if (&value->graph() == &graph || value->info_ != nullptr) {
      write_value_info(*value, *message.add_output());
    } else {
      message.add_output()->set_name(value->name());
    }
  }
  for (const auto& value : graph.values_) {
    if (!value->is_constant()) continue;
    TensorProto& initializer = *message.add_initializer();
    const bool small = value->constant().bytes() <= small_tensor;
    if (!weights && !small) {
      fill(initializer, value->name_, Tensor(value->constant().dtype(), {0}));
      initializer.mutable_dims()->Assign(value->constant().shape().begin(),
                                         value->constant().shape().end());
      initializer.clear_raw_data();
      continue;
    }
    if (sink) {  // the sink sees name, type and shape, and decides where the bytes go
      initializer.set_name(value->name_);
      initializer.set_data_type(static_cast<int>(value->constant().dtype()));
      initializer.mutable_dims()->Assign(value->constant().shape().begin(),
                                         value->constant().shape().end());
      if (sink(*value, initializer)) continue;
    }
    if (value->initializer_ != nullptr) {
      initializer = *value->initializer_;
    } else {
      fill(initializer, value->name_, value->constant());
    }
  }
}

onnx::ModelProto GraphCodec::to_proto(const Model& model, const TensorSink& sink, bool weights) {
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
  write_graph(*model.graph_, *message.mutable_graph(), sink, weights);
  return message;
}

}  // namespace intaglio
