#include "lib/quant/grouped_weight.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"

namespace intaglio {
namespace {

bool is_weight_type(DType type) { return type == DType::f32 || is_half(type); }

bool holds_weights(const Value* value) {
  return value != nullptr && value->is_constant() && is_weight_type(value->constant().dtype()) &&
         value->constant().size() > 0;
}

// Of two axes, exchanged.
bool exchanges_axes(const Node& node) {
  if (!node.is("Transpose") || node.input(0) == nullptr || node.input(0)->rank() != 2) return false;
  const auto perm = node.attr_ints("perm");
  return perm.empty() || perm == std::vector<std::int64_t>{1, 0};
}

const Node* transpose_of(const Value* value) {
  const Node* node = value == nullptr ? nullptr : value->producer();
  return node != nullptr && exchanges_axes(*node) ? node : nullptr;
}

std::string gemm_refusal(const Node& gemm) {
  if (gemm.attr_float("alpha", 1) != 1) return "its alpha is not 1";
  if (gemm.input(2) != nullptr && gemm.attr_float("beta", 1) != 1) return "its beta is not 1";
  if (gemm.attr_int("transA", 0) != 0) return "it transposes its data";
  return {};
}

// What may stand between the scores of a head and the end of a graph: bias, temperature, a cap.
bool keeps_scores(const Node& node) {
  for (const char* op :
       {"Cast", "Identity", "Softmax", "LogSoftmax", "Tanh", "Sigmoid", "Slice", "Transpose"})
    if (node.is(op)) return true;
  if (traits_of(node).relabels) return true;
  const bool arithmetic = node.is("Add") || node.is("Sub") || node.is("Mul") || node.is("Div");
  return arithmetic && std::ranges::any_of(node.inputs(), [](const Value* v) {
           return v != nullptr && v->is_constant();
         });
}

GroupedWeight refused(std::string reason) { return {1, nullptr, 0, std::move(reason)}; }

}  // namespace

GroupedWeight grouped_weight(const Node& node) {
  const bool gemm = node.is("Gemm");
  if (!gemm && !node.is("MatMul")) return refused("no MatMul or Gemm");
  if (gemm)
    if (std::string why = gemm_refusal(node); !why.empty()) return refused(std::move(why));
  const Value* weight = node.input(1);
  bool exchanged = gemm && node.attr_int("transB", 0) != 0;
  if (const Node* transpose = transpose_of(weight)) {
    weight = transpose->input(0);
    exchanged = !exchanged;
  }
  if (!holds_weights(weight)) return refused("its weights are no float constants");
  if (weight->constant().rank() != 2)
    return refused(fmt::format("its weights have {} axes, not 2", weight->constant().rank()));
  return {1, weight, exchanged ? 1 : 0, {}};
}

GroupedWeight grouped_table(const Node& node) {
  if (traits_of(node).weights != WeightKind::table) return refused("looks nothing up");
  const Value* table = node.input(0);
  if (!holds_weights(table) || table->constant().rank() != 2 || node.attr_int("axis", 0) != 0)
    return refused("looks up no rows of a constant table");
  return {0, table, 1, {}};
}

bool is_head(const Node& node) {
  const Value* result = node.output(0);
  for (int steps = 0; result != nullptr && steps < 8; ++steps) {
    if (result->is_output()) return true;
    const Node* reader = only_reader(result);
    if (reader == nullptr) return false;
    if (!keeps_scores(*reader)) return false;
    result = reader->output(0);
  }
  return false;
}

std::optional<std::int64_t> group_for(std::int64_t inputs, std::int64_t wanted) {
  for (std::int64_t group = wanted; group >= least_group; group /= 2)
    if (group <= inputs) return group;
  return std::nullopt;
}

}  // namespace intaglio
