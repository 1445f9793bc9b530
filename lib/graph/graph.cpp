#include "lib/graph/graph.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <queue>
#include <utility>

namespace intaglio {
namespace {

[[noreturn]] void broken(const std::string& what) {
  throw Error(Code::internal, "graph edit: " + what, "Please report this with the model.");
}

}  // namespace

Graph::Graph(std::shared_ptr<Opsets> opsets, Graph* outer)
    : opsets_(std::move(opsets)), outer_(outer), rest_(std::make_unique<onnx::GraphProto>()) {}

// Nested graphs hold pointers to values of this one, but never follow them when they die.
Graph::~Graph() = default;

const std::string& Graph::name() const { return rest_->name(); }

std::int64_t Graph::opset(std::string_view domain) const {
  const auto it = opsets_->find(domain);
  return it == opsets_->end() ? 0 : it->second;
}

const Node* Graph::ancestor_of(const Node& node) const {
  const Node* at = &node;
  while (at != nullptr && &at->graph_ != this) at = at->graph_.owner_;
  return at;
}

// Kahn's algorithm; among the nodes that are ready, the one that was listed first goes first.
std::vector<Node*> Graph::nodes() const {
  std::unordered_map<const Node*, std::size_t> position;
  for (std::size_t i = 0; i < nodes_.size(); ++i) position[nodes_[i].get()] = i;
  std::vector<std::size_t> waiting(nodes_.size(), 0);
  for (const auto& value : values_)
    if (value->producer_ != nullptr)
      for (const Use& use : value->uses_) ++waiting[position.at(ancestor_of(*use.node))];

  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (waiting[i] == 0) ready.push(i);
  std::vector<Node*> order;
  order.reserve(nodes_.size());
  while (!ready.empty()) {
    Node* node = nodes_[ready.top()].get();
    ready.pop();
    order.push_back(node);
    for (const Value* value : node->outputs_) {
      if (value == nullptr) continue;
      for (const Use& use : value->uses_) {
        const std::size_t reader = position.at(ancestor_of(*use.node));
        if (--waiting[reader] == 0) ready.push(reader);
      }
    }
  }
  if (order.size() != nodes_.size()) {
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](auto w) { return w > 0; });
    throw Error(Code::model,
                fmt::format("the graph has a cycle through {}",
                            nodes_[static_cast<std::size_t>(stuck - waiting.begin())]->label()),
                "Export the model again: an ONNX graph must not have cycles.");
  }
  return order;
}

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
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& n) { return n->name() == name; });
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
  for (const Use& use : std::vector<Use>(from.uses_)) use.node->graph_.set_input(*use.node, use.index, &to);
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

void Graph::erase(Node& node) {
  // Uses by nested graphs of values around them must go with the node.
  for (const auto& [attr, graph] : node.nested_)
    for (const auto& inner : graph->nodes_)
      for (std::size_t i = 0; i < inner->inputs_.size(); ++i) graph->unlink(*inner, i);
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

void Graph::verify() const {
  for (const auto& node : nodes_) {
    for (std::size_t i = 0; i < node->inputs_.size(); ++i) {
      const Value* value = node->inputs_[i];
      if (value == nullptr) continue;
      if (value->graph_.find(value->name_) != value) broken(node->label() + " reads an erased value");
      const auto linked = std::count_if(value->uses_.begin(), value->uses_.end(), [&](const Use& u) {
        return u.node == node.get() && u.index == i;
      });
      if (linked != 1) broken(fmt::format("{}: input {} is not linked back", node->label(), i));
      if (value->producer_ == nullptr && !value->is_constant() && !value->is_input_ &&
          &value->graph_ == this)
        broken(fmt::format("{} reads '{}', which nothing makes", node->label(), value->name_));
    }
    for (const Value* value : node->outputs_)
      if (value != nullptr && value->producer_ != node.get())
        broken(fmt::format("{}: output '{}' has another producer", node->label(), value->name_));
    for (const auto& [attr, graph] : node->nested_) graph->verify();
  }
  for (const Value* value : outputs_)
    if (value->producer_ == nullptr && !value->is_constant() && !value->is_input_)
      broken(fmt::format("nothing makes the graph output '{}'", value->name_));
  nodes();  // throws on a cycle
}

}  // namespace intaglio
