#include "lib/quant/fusion.h"

#include <algorithm>
#include <optional>

#include "lib/graph/readers.h"

namespace intaglio {
namespace {

bool contains(const std::vector<std::string>& ops, const Node& node) {
  return node.domain().empty() && std::ranges::find(ops, node.op()) != ops.end();
}

// What makes a value that this node alone reads; null: others read it too, or nothing makes it.
const Node* maker_for(const Node& node) {
  const Value* x = node.input(0);
  return only_reader(x) == &node ? x->producer() : nullptr;
}

// Products that make one result of a convolution; nullopt: not known.
std::optional<std::int64_t> products_of(const Value* weight) {
  if (weight == nullptr || !weight->dims() || weight->dims()->empty()) return std::nullopt;
  std::int64_t products = 1;
  for (std::size_t i = 1; i < weight->dims()->size(); ++i) {
    const Dim& dim = (*weight->dims())[i];
    if (!dim.known()) return std::nullopt;
    products *= dim.value;
  }
  return products;
}

// Whether codes can do the work of a Clip: 0 has a code, so that codes reach at least from 0 to 0,
// and a bound on its other side would have to cut some of them off. Of a Relu: always.
bool codes_can_clip(const Node& activation) {
  if (!activation.is("Clip")) return true;
  const auto bound = [&](std::size_t i) {
    const Value* value = activation.input(i);
    const bool known = value != nullptr && value->is_constant() && value->constant().size() == 1;
    return known ? value->constant().item<double>() : 0.0;
  };
  return bound(1) <= 0 && bound(2) >= 0;
}

// Whether the target computes it with what makes x.
bool is_fused(const std::optional<Composite>& composite, const Target& target) {
  if (!composite || composite->x->producer() == nullptr) return false;
  const auto listed = target.composites.find(std::string(composite->name));
  return listed != target.composites.end() && contains(listed->second, *composite->x->producer());
}

// Its attribute `mode`, or what ONNX takes it for where there is none.
std::string mode_of(const Node& node) {
  return node.attr_string("mode", node.is("Pad")            ? "constant"
                                  : node.is("DepthToSpace") ? "DCR"
                                                            : "nearest");
}

bool is_small(const Node& producer, const OpRule& rule) {
  if (!producer.is("Conv") || !contains(rule.float_into, producer)) return false;
  const auto products = products_of(producer.input(1));
  return products && *products <= rule.float_products && producer.attr_int("group", 1) == 1;
}

}  // namespace

std::optional<Composite> fused_composite(const Node& node, const Target& target) {
  if (target.composites.empty()) return std::nullopt;
  auto composite = composite_holding(node);
  return is_fused(composite, target) ? std::move(composite) : std::nullopt;
}

const OpRule* rule_of(const Node& node, const Target& target) {
  static const OpRule part_of_composite = [] {
    OpRule rule;
    rule.role = Role::activation;
    return rule;
  }();
  if (fused_composite(node, target)) return &part_of_composite;
  const auto it = node.domain().empty() ? target.ops.find(node.op()) : target.ops.end();
  if (it == target.ops.end()) return nullptr;
  const auto& modes = it->second.modes;
  const bool meant = modes.empty() || std::ranges::find(modes, mode_of(node)) != modes.end();
  return meant ? &it->second : nullptr;
}

const Node* fused_producer(const Node& activation, const Target& target) {
  if (const auto composite = fused_composite(activation, target)) return composite->x->producer();
  const OpRule* rule = rule_of(activation, target);
  if (rule == nullptr || rule->role != Role::activation) return nullptr;
  const Node* maker = maker_for(activation);
  if (maker == nullptr) return nullptr;
  if (target.engine != Engine::pairs && !codes_can_clip(activation)) return nullptr;
  if (contains(rule->fuses_into, *maker) || is_small(*maker, *rule)) return maker;
  if (!maker->is("MaxPool")) return nullptr;
  maker = maker_for(*maker);
  return maker != nullptr && is_small(*maker, *rule) ? maker : nullptr;
}

const Node* fused_activation(const Node& node, const Target& target) {
  if (!target.composites.empty() && node.output(0) != nullptr)
    if (const auto composite = composite_reading(*node.output(0)); is_fused(composite, target))
      return composite->last;
  const Node* reader = only_reader(node.output(0));
  if (reader != nullptr && reader->is("MaxPool")) reader = only_reader(reader->output(0));
  if (reader == nullptr || &reader->graph() != &node.graph()) return nullptr;
  return fused_producer(*reader, target) == &node ? reader : nullptr;
}

bool fused_in_float(const Node& producer, const Node& activation, const Target& target) {
  const OpRule* rule = rule_of(activation, target);
  return rule != nullptr && !contains(rule->fuses_into, producer) && is_small(producer, *rule);
}

}  // namespace intaglio
