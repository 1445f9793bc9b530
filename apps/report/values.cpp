#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "apps/report/report.h"
#include "lib/base/mapped_files.h"
#include "lib/graph/float16_operands.h"
#include "lib/quant/array.h"
#include "lib/quant/draft_float16.h"
#include "lib/quant/group_codes.h"
#include "lib/quant/half_precision.h"

namespace intaglio {
namespace {

void put_params(Json& entry, const QParams& params) {
  entry["type"] = name_of(params.type);
  entry["axis"] = params.axis ? Json(*params.axis) : Json();
  entry["scale"] = params.scale;
  entry["zero_point"] = params.zero_point;
}

void put_statistics(Json& entry, const Statistics& s) {
  entry["min"] = number(s.min);
  entry["max"] = number(s.max);
  entry["count"] = s.count;
  entry["zeros"] = s.zeros;
  entry["subnormals"] = s.subnormals;
  entry["nan"] = s.nans;
  entry["inf"] = s.infs;
}

// Part by part, so that a weight that is mapped from a file does not stay in memory.
Statistics statistics_of(const Tensor& tensor) {
  constexpr std::size_t part = std::size_t{1} << 21;
  Statistics s;
  const auto all = tensor.data<float>();
  for (std::size_t at = 0; at < all.size(); at += part) {
    const auto some = all.subspan(at, std::min(part, all.size() - at));
    s.add(some);
    give_back_pages(std::as_bytes(some));
  }
  return s;
}

class ValueReport {
 public:
  ValueReport(const Graph& graph, const Plan& plan, const Observations& observations,
              const Evaluation* evaluation)
      : graph_(graph), plan_(plan), observations_(observations), evaluation_(evaluation) {
    for (const NodePlan& node : plan.nodes) nodes_[node.output] = &node;
    for (const ActivationPlan& activation : plan.activations)
      activations_[activation.name] = &activation;
    for (const NodePlan& node : plan.nodes)
      for (const ConstantPlan& constant : node.constants)
        if (node.quantized && constant.scheme.group > 0)
          in_groups_.insert({constant.name, {&node, &constant}});
  }

  Json run(const Folded& folded) {
    Json list = Json::array();
    for (const Value* value : graph_.values()) {
      const auto it = activations_.find(value->name());
      if (it != activations_.end()) {
        list.push_back(activation(*it->second));
      } else if (value->is_constant()) {
        constants(*value, list);
      } else {
        list.push_back(left_float(*value));
      }
    }
    for (const Folded::Entry& entry : folded.values)
      list.push_back({{"name", entry.name},
                      {"kind", "folded"},
                      {"type", nullptr},
                      {"reason", "gone before quantization: " + entry.pass}});
    return list;
  }

 private:
  Json activation(const ActivationPlan& plan) const {
    Json entry = {{"name", plan.name}, {"kind", "activation"}};
    put_params(entry, plan.params);
    const auto seen = observations_.values.find(plan.name);
    if (seen != observations_.values.end()) put_statistics(entry, seen->second);
    entry["lo"] = plan.range.lo;
    entry["hi"] = plan.range.hi;
    if (seen != observations_.values.end()) entry["clipped"] = clipped(seen->second, plan.range);
    std::optional<double> sqnr;
    if (evaluation_ != nullptr)
      if (const auto it = evaluation_->values.find(plan.name); it != evaluation_->values.end())
        sqnr = it->second.sqnr_db();
    entry["sqnr_db"] = number(sqnr);
    entry["group"] = plan.group;
    entry["notes"] = plan.notes;
    return entry;
  }

  // One entry for each place where a constant is stored in integers; one if it stays as it is.
  void constants(const Value& value, Json& list) const {
    const auto [first, last] = in_groups_.equal_range(value.name());
    for (auto it = first; it != last; ++it)
      list.push_back(weight_in_groups(value, *it->second.second, *it->second.first));
    bool quantized = first != last;
    for (const Use& use : value.uses()) {
      const Value* made = first_output(*use.node);
      const auto it = made == nullptr ? nodes_.end() : nodes_.find(made->name());
      if (it == nodes_.end() || !it->second->quantized) continue;
      for (const ConstantPlan& constant : it->second->constants)
        if (constant.input == use.index && constant.scheme.group == 0)
          list.push_back(weight(value, constant, *it->second)), quantized = true;
      if (it->second->has_integer_bias() && it->second->bias->input == use.index)
        list.push_back(bias(value, *it->second)), quantized = true;
    }
    if (!quantized) list.push_back(left_float(value));
  }

  // Scales are as many as a part of the weights: they stay in the model.
  static Json weight_in_groups(const Value& value, const ConstantPlan& constant,
                               const NodePlan& node) {
    Json entry = {{"name", value.name()},
                  {"kind", "weight"},
                  {"node", node.name},
                  {"type", name_of(constant.scheme.type)},
                  {"axis", *constant.scheme.axis},
                  {"block_size", constant.scheme.group},
                  {"symmetric", constant.scheme.symmetric},
                  {"count", value.constant().size()}};
    const GroupCodes* groups = constant.groups.get();
    entry["sqnr_db"] = groups == nullptr ? Json() : number(sqnr_db(groups->signal, groups->noise));
    return entry;
  }

  Json weight(const Value& value, const ConstantPlan& constant, const NodePlan& node) const {
    Json entry = {{"name", value.name()}, {"kind", "weight"}, {"node", node.name}};
    put_params(entry, constant.params);
    put_statistics(entry, statistics_of(value.constant()));
    const Range range = representable_range(constant);
    entry["lo"] = range.lo;
    entry["hi"] = range.hi;
    entry["clipped"] = count_clipped(value.constant(), constant.params, constant.scheme);
    entry["sqnr_db"] = number(weight_sqnr(value.constant(), constant));
    entry["raised_scales"] = constant.raised;
    if (is_half(constant.scheme.type))
      entry["vanished"] = half_loss(value.constant(), constant.scheme.type).vanished;
    return entry;
  }

  static double weight_sqnr(const Tensor& tensor, const ConstantPlan& c) {
    return sqnr_db(tensor, dequantize(quantize(tensor, c.params, c.scheme), c.params));
  }

  static Range representable_range(const ConstantPlan& constant) {
    Range range = representable(constant.params, constant.scheme, 0);
    for (std::size_t c = 1; c < constant.params.scale.size(); ++c)
      range = join(range, representable(constant.params, constant.scheme, c));
    return range;
  }

  Json bias(const Value& value, const NodePlan& node) const {
    Json entry = {{"name", value.name()}, {"kind", "bias"}, {"node", node.name}};
    put_params(entry, node.bias->params);
    const Tensor& tensor = value.constant();
    put_statistics(entry, statistics_of(tensor));
    const Range range = ranges_of(tensor, std::nullopt).front();
    entry["lo"] = range.lo;
    entry["hi"] = range.hi;
    const QuantizedBias codes = requantized(tensor, node.bias->params);
    const auto saturated = codes.codes.data<std::int32_t>();
    entry["clipped"] = std::count_if(saturated.begin(), saturated.end(), [](std::int32_t q) {
      return q == std::numeric_limits<std::int32_t>::max() ||
             q == std::numeric_limits<std::int32_t>::min();
    });
    entry["sqnr_db"] =
        number(sqnr_db(tensor.reshaped({tensor.size()}), dequantize(codes.codes, codes.params)));
    return entry;
  }

  // Exact when nothing lies outside of the range. Otherwise counted in whole bins, which takes a
  // histogram: values in the bin that an end falls into count as inside.
  static Json clipped(const Statistics& seen, const Range& range) {
    if (seen.min >= range.lo && seen.max <= range.hi) return 0;
    if (!seen.histogram || seen.histogram->empty()) return nullptr;
    const Histogram& h = *seen.histogram;
    std::uint64_t out = 0;
    for (std::int64_t k = h.first(); k <= h.last(); ++k) {
      const double left = static_cast<double>(k) * h.width();
      if (left >= range.hi || left + h.width() <= range.lo) out += h.count(k);
    }
    return out;
  }

  static QuantizedBias requantized(const Tensor& bias, const QParams& params) {
    QParams unit = params;  // s_x * s_w with s_x = 1
    return quantize_bias(bias, 1.0f, unit);
  }

  Json left_float(const Value& value) const {
    Json entry = {
        {"name", value.name()},
        {"kind", value.is_constant() ? "constant" : "activation"},
        {"type", value.dtype() == DType::undefined ? Json() : Json(name_of(value.dtype()))}};
    const auto seen = observations_.values.find(value.name());
    if (seen != observations_.values.end()) put_statistics(entry, seen->second);
    if (value.is_constant() && value.dtype() == DType::f32)
      put_statistics(entry, statistics_of(value.constant()));
    if (value.is_constant() &&
        std::ranges::any_of(value.uses(), [&](const Use& use) { return in_float16(use); })) {
      entry["type"] = name_of(DType::f16);
      entry["vanished"] = half_loss(value.constant(), DType::f16).vanished;
    }
    entry["reason"] = reason(value);
    return entry;
  }

  bool in_float16(const Use& use) const {
    const NodePlan* plan = plan_of(use.node);
    return plan != nullptr && computes_in_float16(*plan) &&
           float16_operands(*use.node).inputs.at(use.index);
  }

  const NodePlan* plan_of(const Node* node) const {
    const Value* made = node == nullptr ? nullptr : first_output(*node);
    if (made == nullptr) return nullptr;
    const auto it = nodes_.find(made->name());
    return it == nodes_.end() ? nullptr : it->second;
  }

  std::string reason(const Value& value) const {
    if (value.dtype() == DType::undefined) return "its type is not known before the run";
    if (value.dtype() != DType::f32)
      return fmt::format("holds {}: nothing to quantize", name_of(value.dtype()));
    if (!value.is_constant() && plan_.activations.empty())
      return "this form quantizes no activation ahead of the run";
    for (const Use& use : value.uses()) {
      const NodePlan* reader = plan_of(use.node);
      if (reader == nullptr) continue;
      if (value.is_constant() && reader->quantized)
        return fmt::format("{} takes this input in float", use.node->label());
      if (!value.is_constant() && reader->quantized && reader->reason.starts_with("fused into"))
        return fmt::format("inside a fusion: {} is {}", use.node->label(), reader->reason);
    }
    if (const NodePlan* maker = plan_of(value.producer()); maker != nullptr && !maker->quantized)
      return fmt::format("its producer stays float: {}", maker->reason);
    if (value.uses().empty()) return "only leaves the graph";
    const NodePlan* reader = plan_of(value.uses().front().node);
    return fmt::format("{} stays float: {}", value.uses().front().node->label(),
                       reader != nullptr ? reader->reason : "it is in a nested graph");
  }

  const Graph& graph_;
  const Plan& plan_;
  const Observations& observations_;
  const Evaluation* evaluation_;
  std::unordered_map<std::string, const NodePlan*> nodes_;
  // By constant: what reads it, directly or behind a Transpose.
  std::multimap<std::string, std::pair<const NodePlan*, const ConstantPlan*>> in_groups_;
  std::unordered_map<std::string, const ActivationPlan*> activations_;
};

}  // namespace

Json values_json(const Graph& prepared, const Plan& plan, const Observations& observations,
                 const Evaluation* evaluation, const Folded& folded) {
  return ValueReport(prepared, plan, observations, evaluation).run(folded);
}

}  // namespace intaglio
