#include "lib/graph/graph.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <utility>

#include "lib/graph/order.h"
#include "lib/graph/verify.h"

namespace intaglio {
Graph::Graph(std::shared_ptr<Opsets> opsets, Graph* outer)
    : opsets_(std::move(opsets)), outer_(outer), rest_(std::make_unique<onnx::GraphProto>()) {}

// Nested graphs hold pointers to values of this one, but never follow them when they die.
Graph::~Graph() = default;

const std::string& Graph::name() const { return rest_->name(); }

std::int64_t Graph::opset(std::string_view domain) const {
  const auto it = opsets_->find(domain);
  return it == opsets_->end() ? 0 : it->second;
}

std::vector<Node*> Graph::listed() const {
  std::vector<Node*> result;
  for (const auto& node : nodes_) result.push_back(node.get());
  return result;
}

std::vector<Node*> Graph::nodes() const { return in_order(*this); }

std::vector<Value*> Graph::feeds() const {
  std::vector<Value*> result;
  std::copy_if(inputs_.begin(), inputs_.end(), std::back_inserter(result),
               [](const Value* v) { return v->is_feed(); });
  return result;
}

std::vector<Value*> Graph::values() const {
  std::vector<Value*> result;
  for (const auto& value : values_) result.push_back(value.get());
  return result;
}

Value* Graph::find(std::string_view name) const {
  const auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? nullptr : it->second;
}

Value* Graph::resolve(std::string_view name) const {
  for (const Graph* graph = this; graph != nullptr; graph = graph->outer_)
    if (Value* value = graph->find(name)) return value;
  return nullptr;
}

bool Graph::name_taken_inside(std::string_view name) const {
  if (find(name) != nullptr) return true;
  for (const auto& node : nodes_)
    for (const auto& [attr, graph] : node->nested_)
      if (graph->name_taken_inside(name)) return true;
  return false;
}

bool Graph::name_taken(std::string_view name) const {
  return name_taken_inside(name) || (outer_ != nullptr && outer_->resolve(name) != nullptr);
}

std::string Graph::unique_name(std::string_view hint) const {
  std::string name(hint.empty() ? "value" : hint);
  if (!name_taken(name)) return name;
  const std::string stem = name;
  int& counter = name_counters_[stem];
  do {
    name = fmt::format("{}_{}", stem, ++counter);
  } while (name_taken(name));
  return name;
}

std::string Graph::unique_node_name(std::string_view hint) const {
  const auto taken = [&](const std::string& name) {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [&](const auto& n) { return n->name() == name; });
  };
  std::string name(hint);
  for (int i = 1; taken(name); ++i) name = fmt::format("{}_{}", hint, i);
  return name;
}

Value& Graph::create(std::string name) {
  values_.push_back(std::unique_ptr<Value>(new Value(*this, std::move(name))));
  Value& value = *values_.back();
  by_name_[value.name_] = &value;
  return value;
}

Value& Graph::add_value(std::string_view hint, DType dtype, std::optional<Dims> dims) {
  Value& value = create(unique_name(hint));
  value.set_type(dtype, std::move(dims));
  return value;
}

Value& Graph::add_constant(std::string_view hint, Tensor tensor) {
  Value& value = create(unique_name(hint));
  value.set_constant(std::move(tensor));
  return value;
}

Node& Graph::add_node(std::string_view op, std::string_view name_hint, std::vector<Value*> inputs,
                      std::vector<Value*> outputs, std::string_view domain) {
  const std::string name = name_hint.empty() ? std::string() : unique_node_name(name_hint);
  nodes_.push_back(std::unique_ptr<Node>(new Node(*this)));
  Node& node = *nodes_.back();
  node.set_op(op, domain);
  if (!name.empty()) node.set_name(name);
  for (std::size_t i = 0; i < inputs.size(); ++i) set_input(node, i, inputs[i]);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i] != nullptr) set_output(node, i, *outputs[i]);
  return node;
}

void Graph::link(Node& node, std::size_t i, Value* value) {
  node.inputs_[i] = value;
  if (value != nullptr) value->uses_.push_back({&node, i});
}

void Graph::unlink(Node& node, std::size_t i) {
  Value* value = std::exchange(node.inputs_[i], nullptr);
  if (value == nullptr) return;
  std::erase_if(value->uses_, [&](const Use& use) { return use.node == &node && use.index == i; });
}

void Graph::set_input(Node& node, std::size_t i, Value* value) {
  if (i >= node.inputs_.size()) node.inputs_.resize(i + 1, nullptr);
  unlink(node, i);
  link(node, i, value);
}

void Graph::trim_inputs(Node& node, std::size_t count) {
  for (std::size_t i = count; i < node.inputs_.size(); ++i) unlink(node, i);
  node.inputs_.resize(std::min(count, node.inputs_.size()));
}

void Graph::set_output(Node& node, std::size_t i, Value& value) {
  if (value.producer_ != nullptr || value.is_constant() || value.is_input_)
    broken(fmt::format("'{}' would be made twice", value.name_));
  if (i >= node.outputs_.size()) node.outputs_.resize(i + 1, nullptr);
  if (node.outputs_[i] != nullptr) node.outputs_[i]->producer_ = nullptr;
  node.outputs_[i] = &value;
  value.producer_ = &node;
}

void Graph::replace_uses(Value& from, Value& to) {
  if (&from == &to) return;
  for (const Use& use : std::vector<Use>(from.uses_))
    use.node->graph_.set_input(*use.node, use.index, &to);
}

void Graph::merge_into_output(Value& from, Value& output) {
  Node* producer = from.producer_;
  if (producer == nullptr || from.is_output_ || output.producer_ != nullptr)
    broken(fmt::format("'{}' cannot take the place of '{}'", output.name_, from.name_));
  const auto at = std::find(producer->outputs_.begin(), producer->outputs_.end(), &from);
  replace_uses(from, output);
  set_output(*producer, static_cast<std::size_t>(at - producer->outputs_.begin()), output);
  erase(from);
}

// Uses of values around a nested graph must go with it, at any depth.
void Graph::unlink_all() {
  for (const auto& node : nodes_) {
    for (std::size_t i = 0; i < node->inputs_.size(); ++i) unlink(*node, i);
    for (const auto& [attr, graph] : node->nested_) graph->unlink_all();
  }
}

void Graph::erase(Node& node) {
  for (const auto& [attr, graph] : node.nested_) graph->unlink_all();
  trim_inputs(node, 0);
  for (Value* value : node.outputs_)
    if (value != nullptr) value->producer_ = nullptr;
  std::erase_if(nodes_, [&](const auto& n) { return n.get() == &node; });
}

void Graph::erase(Value& value) {
  if (value.producer_ != nullptr || !value.uses_.empty() || value.is_output_)
    broken(fmt::format("'{}' is still in use", value.name_));
  std::erase(inputs_, &value);
  by_name_.erase(value.name_);
  std::erase_if(values_, [&](const auto& v) { return v.get() == &value; });
}

void Graph::drop_input(Value& value) {
  if (!value.is_constant()) broken(fmt::format("input '{}' has no value of its own", value.name_));
  value.is_input_ = false;
  std::erase(inputs_, &value);
}

void Graph::verify() const { verify_links(*this); }

}  // namespace intaglio
