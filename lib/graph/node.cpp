#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cassert>

#include "lib/graph/codec.h"
#include "lib/graph/graph.h"

namespace intaglio {

using onnx::AttributeProto;

Node::Node(Graph& graph) : graph_(graph), proto_(std::make_unique<onnx::NodeProto>()) {}
Node::~Node() = default;

const std::string& Node::name() const { return proto_->name(); }
const std::string& Node::op() const { return proto_->op_type(); }

const std::string& Node::domain() const {
  static const std::string standard;
  return proto_->domain() == "ai.onnx" ? standard : proto_->domain();
}

std::string Node::label() const {
  const std::string type = domain().empty() ? op() : domain() + "." + op();
  if (!name().empty()) return fmt::format("{} node '{}'", type, name());
  const auto made = std::find_if(outputs_.begin(), outputs_.end(), [](Value* v) { return v; });
  if (made == outputs_.end()) return fmt::format("{} node without outputs", type);
  return fmt::format("{} node making '{}'", type, (*made)->name());
}

std::int64_t Node::opset() const { return graph_.opset(domain()); }

std::vector<std::string> Node::attrs() const {
  std::vector<std::string> names;
  for (const AttributeProto& attr : proto_->attribute()) names.push_back(attr.name());
  return names;
}

Value* Node::needed_input(std::size_t i) const {
  if (Value* value = input(i)) return value;
  throw Error(Code::model, fmt::format("{}: input {} is left out", label(), i + 1));
}

Value* Node::needed_output(std::size_t i) const {
  if (Value* value = output(i)) return value;
  throw Error(Code::model, fmt::format("{}: output {} is left out", label(), i + 1));
}

char Node::attr_kind(std::string_view attr) const {
  const AttributeProto* a = find_attr(attr, AttributeProto::UNDEFINED);
  if (a == nullptr) return 0;
  // In the order of onnx::AttributeProto::AttributeType.
  constexpr std::string_view kinds{"?fistgFIS\0\0p\0y", 14};
  const auto type = static_cast<std::size_t>(a->type());
  return type < kinds.size() ? kinds[type] : '\0';
}

const AttributeProto* Node::find_attr(std::string_view attr, int type) const {
  for (const AttributeProto& a : proto_->attribute()) {
    if (a.name() != attr) continue;
    // Files older than IR 3 leave the type out.
    if (type != AttributeProto::UNDEFINED && a.type() != AttributeProto::UNDEFINED &&
        a.type() != type)
      throw Error(Code::model, fmt::format("{}: attribute '{}' has the wrong type", label(), attr));
    return &a;
  }
  return nullptr;
}

const AttributeProto& Node::need_attr(std::string_view attr, int type) const {
  const AttributeProto* found = find_attr(attr, type);
  if (found == nullptr)
    throw Error(Code::model, fmt::format("{}: attribute '{}' is missing", label(), attr));
  return *found;
}

AttributeProto& Node::fresh_attr(std::string_view attr, int type) {
  erase_attr(attr);
  AttributeProto& a = *proto_->add_attribute();
  a.set_name(std::string(attr));
  a.set_type(static_cast<AttributeProto::AttributeType>(type));
  return a;
}

bool Node::has(std::string_view attr) const {
  return find_attr(attr, AttributeProto::UNDEFINED) != nullptr;
}
std::int64_t Node::attr_int(std::string_view attr) const {
  return need_attr(attr, AttributeProto::INT).i();
}
std::int64_t Node::attr_int(std::string_view attr, std::int64_t fallback) const {
  const AttributeProto* a = find_attr(attr, AttributeProto::INT);
  return a != nullptr ? a->i() : fallback;
}
float Node::attr_float(std::string_view attr) const {
  return need_attr(attr, AttributeProto::FLOAT).f();
}
float Node::attr_float(std::string_view attr, float fallback) const {
  const AttributeProto* a = find_attr(attr, AttributeProto::FLOAT);
  return a != nullptr ? a->f() : fallback;
}
std::string Node::attr_string(std::string_view attr) const {
  return need_attr(attr, AttributeProto::STRING).s();
}
std::string Node::attr_string(std::string_view attr, std::string_view fallback) const {
  const AttributeProto* a = find_attr(attr, AttributeProto::STRING);
  return a != nullptr ? a->s() : std::string(fallback);
}
std::vector<std::int64_t> Node::attr_ints(std::string_view attr) const {
  const AttributeProto* a = find_attr(attr, AttributeProto::INTS);
  if (a == nullptr) return {};
  return {a->ints().begin(), a->ints().end()};
}
std::vector<float> Node::attr_floats(std::string_view attr) const {
  const AttributeProto* a = find_attr(attr, AttributeProto::FLOATS);
  if (a == nullptr) return {};
  return {a->floats().begin(), a->floats().end()};
}
std::vector<std::string> Node::attr_strings(std::string_view attr) const {
  const AttributeProto* a = find_attr(attr, AttributeProto::STRINGS);
  if (a == nullptr) return {};
  return {a->strings().begin(), a->strings().end()};
}

Tensor Node::attr_tensor(std::string_view attr) const {
  const AttributeProto& a = need_attr(attr, AttributeProto::TENSOR);
  try {
    return tensor_of(std::make_shared<onnx::TensorProto>(a.t()));
  } catch (const Error& e) {
    throw e.within(fmt::format("{}: attribute '{}'", label(), attr));
  }
}

Graph& Node::attr_graph(std::string_view attr) const {
  for (const auto& [name, graph] : nested_)
    if (name == attr) return *graph;
  throw Error(Code::model, fmt::format("{}: attribute '{}' is missing", label(), attr));
}

std::vector<std::pair<std::string, Graph*>> Node::nested_graphs() const {
  std::vector<std::pair<std::string, Graph*>> result;
  for (const auto& [name, graph] : nested_) result.emplace_back(name, graph.get());
  return result;
}

void Node::set_name(std::string_view name) { proto_->set_name(std::string(name)); }

void Node::set_op(std::string_view op, std::string_view domain) {
  proto_->set_op_type(std::string(op));
  if (domain.empty()) {
    proto_->clear_domain();
  } else {
    proto_->set_domain(std::string(domain));
  }
}

void Node::set_attr(std::string_view attr, std::int64_t value) {
  fresh_attr(attr, AttributeProto::INT).set_i(value);
}
void Node::set_attr(std::string_view attr, float value) {
  fresh_attr(attr, AttributeProto::FLOAT).set_f(value);
}
void Node::set_attr(std::string_view attr, std::string_view value) {
  fresh_attr(attr, AttributeProto::STRING).set_s(std::string(value));
}
void Node::set_attr(std::string_view attr, const std::vector<std::int64_t>& value) {
  fresh_attr(attr, AttributeProto::INTS).mutable_ints()->Assign(value.begin(), value.end());
}
void Node::set_attr(std::string_view attr, const std::vector<float>& value) {
  fresh_attr(attr, AttributeProto::FLOATS).mutable_floats()->Assign(value.begin(), value.end());
}

void Node::erase_attr(std::string_view attr) {
  assert(
      std::none_of(nested_.begin(), nested_.end(), [&](const auto& n) { return n.first == attr; }));
  auto& list = *proto_->mutable_attribute();
  for (int i = list.size() - 1; i >= 0; --i)
    if (list[i].name() == attr) list.DeleteSubrange(i, 1);
}

}  // namespace intaglio
