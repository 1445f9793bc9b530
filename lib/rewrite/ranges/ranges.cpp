#include "lib/rewrite/ranges/ranges.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "lib/graph/op_traits.h"

namespace intaglio {

// In their own files.
std::string sophgo_text(const ValueRanges& ranges);
std::string tflite_text(const ValueRanges& ranges);
std::string rknn_text(const ValueRanges& ranges);

namespace {

void require_8_bits(const ActivationPlan& activation) {
  if (activation.params.type == DType::u8 || activation.params.type == DType::s8) return;
  throw Error(Code::unsupported,
              fmt::format("`ranges`: '{}' has codes of {}, and these files speak of 8 bits",
                          activation.name, name_of(activation.params.type)),
              "Use `activations` u8 or s8, without `keep-as` 16bit.");
}

// Of a value between a product and the activation that is fused into it, the activation's; else null.
const ActivationPlan* fused_range(const Value& value, const std::set<std::string>& quantized,
                                  const Plan& plan) {
  if (value.is_output() || value.producer() == nullptr || value.uses().size() != 1) return nullptr;
  const Value* maker = first_output(*value.producer());
  const Value* result = first_output(*value.uses().front().node);
  if (maker == nullptr || result == nullptr || !quantized.contains(maker->name()) ||
      !quantized.contains(result->name()))
    return nullptr;
  return plan.find(result->name());
}

}  // namespace

std::int32_t ValueRange::signed_zero_point() const {
  return params.zero_point.front() - (params.type == DType::u8 ? 128 : 0);
}
double ValueRange::lo() const { return (-128.0 - signed_zero_point()) * params.scale.front(); }
double ValueRange::hi() const { return (127.0 - signed_zero_point()) * params.scale.front(); }

ValueRanges value_ranges(const Graph& graph, const Plan& plan) {
  ValueRanges ranges;
  std::map<const Value*, QParams> known;
  std::set<std::string> quantized;
  for (const NodePlan& entry : plan.nodes)
    if (entry.quantized) quantized.insert(entry.output);
  const auto add = [&](const Value& value, const std::string& op, const QParams& params,
                       bool within) {
    known[&value] = params;
    ranges.values.push_back({value.name(), op, params, within});
  };
  const auto take = [&](const Value& value, const std::string& op, const Value* moved) {
    if (value.dtype() != DType::f32) return;
    const ActivationPlan* own = plan.find(value.name());
    const ActivationPlan* fused = own == nullptr ? fused_range(value, quantized, plan) : nullptr;
    const auto source = known.find(moved);
    if (const ActivationPlan* activation = own != nullptr ? own : fused; activation != nullptr) {
      require_8_bits(*activation);
      add(value, op, activation->params, fused != nullptr);
    } else if (source != known.end()) {
      add(value, op, QParams(source->second), false);
    } else {
      ranges.missing.push_back(value.name());
    }
  };
  for (const Value* feed : graph.feeds()) take(*feed, "", nullptr);
  for (const Node* node : graph.nodes()) {
    const Value* moved = traits_of(*node).moves ? node->input(0) : nullptr;
    for (const Value* output : node->outputs())
      if (output != nullptr) take(*output, node->op(), moved);
  }
  return ranges;
}

std::string ranges_text(RangesFormat format, const ValueRanges& ranges) {
  switch (format) {
    case RangesFormat::sophgo:
      return sophgo_text(ranges);
    case RangesFormat::tflite:
      return tflite_text(ranges);
    case RangesFormat::rknn:
      return rknn_text(ranges);
    case RangesFormat::ncnn:
      break;
  }
  throw Error(Code::internal, "the table of ncnn is made of a network");
}

}  // namespace intaglio
