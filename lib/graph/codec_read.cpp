#include <fmt/format.h>

#include <utility>

#include "lib/graph/bounds.h"
#include "lib/graph/codec.h"

namespace intaglio {
namespace {

using onnx::AttributeProto;
using onnx::TensorProto;

Error twice(const std::string& name, const std::string& where) {
  return Error(Code::model, fmt::format("value '{}' is defined twice, again by {}", name, where),
               "Export the model again: every value must have one definition.");
}

Error incomplete(const std::string& what) {
  return Error(Code::model, what, "Export the model again: the graph is incomplete.");
}

// Runs f; its errors name the initializer.
template <typename F>
void at_initializer(const std::string& name, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    throw e.within(fmt::format("initializer '{}'", name));
  }
}

// what: "graph input"
void require_lengths(const onnx::ValueInfoProto& info, std::string_view what) {
  if (!info.type().has_tensor_type()) return;
  for (const auto& dim : info.type().tensor_type().shape().dim())
    if (dim.has_dim_value() && dim.dim_value() < -1)  // -1: some exporters' "not known"
      throw incomplete(
          fmt::format("{} '{}' has an axis of {} elements", what, info.name(), dim.dim_value()));
}

// Graph inputs that are tensors have an element type. Others are told by its absence.
void require_type(const onnx::ValueInfoProto& info) {
  if (info.name().empty()) throw incomplete("a graph input has no name");
  if (!info.type().has_tensor_type()) return;
  const int type = info.type().tensor_type().elem_type();
  if (type == TensorProto::UNDEFINED)
    throw incomplete(fmt::format("graph input '{}' has no element type", info.name()));
  if (!is_element_type(type))
    throw incomplete(fmt::format("graph input '{}': {} is no element type", info.name(), type));
  require_lengths(info, "graph input");
}

}  // namespace

void GraphReader::read_type(const onnx::ValueInfoProto& info, Value& value) {
  ValueType type = value_type(info);
  value.dtype_ = type.dtype;
  value.dims_ = std::move(type.dims);
}

void GraphReader::read_initializers(onnx::GraphProto& message, Graph& graph,
                                    const TensorSource& source) {
  const auto create = [&](const std::string& name) -> Value& {
    if (graph.find(name) != nullptr) throw twice(name, "an initializer");
    return graph.create(name);
  };
  for (auto& initializer : *message.mutable_initializer()) {
    Value& value = create(initializer.name());
    const auto kept = std::make_shared<const TensorProto>(std::move(initializer));
    at_initializer(value.name(), [&] { value.set_constant(tensor_of(kept, source)); });
    value.retyped_ = false;
    if (kept->data_location() != TensorProto::EXTERNAL) value.initializer_ = kept;
  }
  for (auto& sparse : *message.mutable_sparse_initializer()) {
    Value& value = create(sparse.values().name());
    at_initializer(value.name(), [&] { value.set_constant(tensor_of(sparse)); });
    value.retyped_ = false;
    value.sparse_ = std::make_shared<const onnx::SparseTensorProto>(std::move(sparse));
  }
}

void GraphReader::read_nodes(onnx::GraphProto& message, Graph& graph, const TensorSource& source) {
  for (auto& proto : *message.mutable_node()) {
    graph.nodes_.push_back(std::unique_ptr<Node>(new Node(graph)));
    Node& node = *graph.nodes_.back();
    *node.proto_ = std::move(proto);
    for (const std::string& name : node.proto_->output()) {
      Value* value = nullptr;
      if (!name.empty()) {
        if (graph.find(name) != nullptr)
          throw twice(name, fmt::format("node '{}' ({})", node.name(), node.op()));
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
        throw incomplete(
            fmt::format("{} reads '{}', which is no input, no initializer and made by no node",
                        node->label(), name));
      node->inputs_.push_back(nullptr);
      graph.link(*node, node->inputs_.size() - 1, value);
    }
    node->proto_->clear_input();
    for (auto& attr : *node->proto_->mutable_attribute()) {
      if (attr.type() != AttributeProto::GRAPH || !attr.has_g()) continue;
      auto nested = std::make_unique<Graph>(graph.opsets_, &graph);
      nested->owner_ = node.get();
      read_graph(*attr.mutable_g(), *nested, source);
      attr.clear_g();
      node->nested_.emplace_back(attr.name(), std::move(nested));
    }
  }
}

void GraphReader::read_graph(onnx::GraphProto& message, Graph& graph, const TensorSource& source) {
  read_initializers(message, graph, source);
  for (auto& info : *message.mutable_input()) {
    Value* value = graph.find(info.name());
    if (value == nullptr) value = &graph.create(info.name());
    if (value->is_input_) throw twice(info.name(), "a graph input");
    value->is_input_ = true;
    if (!value->is_constant()) read_type(info, *value);
    if (graph.outer() == nullptr) require_type(info);  // bodies need not say
    value->info_ = std::make_unique<onnx::ValueInfoProto>(std::move(info));
    graph.inputs_.push_back(value);
  }
  read_nodes(message, graph, source);
  for (auto& info : *message.mutable_output()) {
    Value* value = graph.resolve(info.name());
    if (value == nullptr)
      throw incomplete(fmt::format("nothing makes the graph output '{}'", info.name()));
    value->is_output_ = true;
    if (graph.outer() == nullptr) require_lengths(info, "graph output");
    if (value->dtype_ == DType::undefined) read_type(info, *value);
    graph.outputs_.push_back(value);
    graph.output_infos_.push_back(std::make_unique<onnx::ValueInfoProto>(std::move(info)));
  }
  for (const auto& info : message.value_info()) {
    Value* value = graph.find(info.name());
    if (value == nullptr || value->info_ != nullptr) {
      graph.stray_infos_.insert(info.name());
      continue;
    }
    if (value->dtype_ == DType::undefined) read_type(info, *value);
    value->info_ = std::make_unique<onnx::ValueInfoProto>(info);
  }
  message.clear_node();
  message.clear_initializer();
  message.clear_sparse_initializer();
  message.clear_input();
  message.clear_output();
  *graph.rest_ = std::move(message);
  graph.nodes();  // a cycle is an error now, not later
}

Model GraphReader::read(onnx::ModelProto&& message, const TensorSource& source) {
  if (!message.has_graph())
    throw Error(Code::model, "the file holds no graph", "Check that this is an ONNX model.");
  Model model;
  model.opsets_->clear();
  for (const auto& import : message.opset_import()) {
    const auto [it, first] =
        model.opsets_->emplace(plain_domain(import.domain()), import.version());
    if (!first && it->second != import.version())
      throw Error(Code::model,
                  fmt::format("operator set '{}' is imported as version {} and as version {}",
                              import.domain(), it->second, import.version()),
                  "Export the model again: it must import each operator set once.");
  }
  if (model.opsets_->empty()) {
    if (message.ir_version() >= 3)
      throw Error(Code::model, "the model imports no operator set",
                  "Export the model again: since IR 3, the versions of its operators are stated.");
    (*model.opsets_)[""] = 1;  // IR 1 and 2 had no imports
  }
  read_graph(*message.mutable_graph(), *model.graph_, source);
  message.clear_graph();
  *model.rest_ = std::move(message);
  return model;
}

void GraphReader::share_values(const Graph& from, Graph& to) {
  for (const auto& value : from.values_) {
    Value* twin = to.find(value->name_);
    if (twin == nullptr) continue;
    twin->dtype_ = value->dtype_;
    twin->dims_ = value->dims_;
    twin->constant_ = value->constant_;
    twin->initializer_ = value->initializer_;
    twin->sparse_ = value->sparse_;
    twin->dtype_learned_ = value->dtype_learned_;
    twin->dims_learned_ = value->dims_learned_;
    twin->retyped_ = value->retyped_;
  }
  const auto nodes = from.nodes(),
             twins = to.nodes();  // in the same order: one was read from the other
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j < nodes[i]->nested_.size(); ++j)
      share_values(*nodes[i]->nested_[j].second, *twins[i]->nested_[j].second);
}

Model from_proto(onnx::ModelProto&& message, const TensorSource& source) {
  return GraphReader::read(std::move(message), source);
}

}  // namespace intaglio
