#include "lib/quant/draft_revision.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/macs.h"
#include "lib/graph/readers.h"
#include "lib/quant/kernel_limits.h"
#include "lib/quant/obstacle.h"
#include "lib/quant/weights.h"

namespace intaglio {
namespace {

// What layers in float may take of all products so that results are exact, in percent.
constexpr double most_of_results = 8;

// Of known sizes, or along axes of the same names, or of none.
bool as_large(const Value& part, const Value& whole) {
  if (!part.dims() || !whole.dims() || part.rank() != whole.rank()) return false;
  return std::ranges::equal(*part.dims(), *whole.dims(), [](const Dim& a, const Dim& b) {
    return a.known() || b.known() ? a.value == b.value : a.symbol == b.symbol;
  });
}

// Channels of one scale lose what a normalization by channel would bring up again.
bool is_normalized_by_channel(const Node& node) {
  const Node* reader = only_reader(node.output(0));
  return reader != nullptr && &reader->graph() == &node.graph() &&
         (reader->is("InstanceNormalization") || reader->is("GroupNormalization"));
}

}  // namespace

bool DraftRevision::run() { return drop_amid_float() || drop_useless() || leave_results_float(); }

// Arithmetic on what a float operator makes, in its size (gamma and beta of a normalization, the
// last steps of Gelu): to have it in integers, floats would be rounded for it alone. Chains go
// from their beginning, but not on through values of several readers: a residual stream keeps its
// codes.
bool DraftRevision::drop_amid_float() {
  bool changed = false;
  for (const Node* node : task_.nodes) {
    if (!decision_.accepts(*node) || !computes_by_element(*node)) continue;
    if (!std::ranges::any_of(node->inputs(), [&](const Value* input) {
          return made_in_float(input) && as_large(*input, *first_output(*node));
        }))
      continue;
    task_.left_out[node] = "what it reads is computed in float";
    decision_.drop(*node);
    changed = true;
  }
  return changed;
}

bool DraftRevision::computes_by_element(const Node& node) const {
  const Role role = task_.rule_of(node)->role;
  return role == Role::elementwise ||
         (role == Role::activation && decision_.fusion_of(node) == nullptr);
}

// An operator makes it that the target leaves float whatever its neighbours are, or arithmetic
// behind one that nothing else reads; moved about or not.
bool DraftRevision::made_in_float(const Value* value) const {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  if (!is_f32(value) || node == nullptr || decision_.accepts(*node)) return false;
  const OpRule* rule = task_.rule_of(*node);
  if (rule == nullptr || leaves_rule(*node, *rule) || slow_kernel(*node, task_.target.engine))
    return true;
  if (rule->role == Role::share) return made_in_float(node->input(0));
  return task_.left_out.contains(node) && computes_by_element(*node) &&
         only_reader(value) != nullptr;
}

// Arithmetic between float operators, or between them and the graph's end: codes behind it would
// only be rounded and turned back. Chains go from their end.
bool DraftRevision::drop_useless() {
  bool changed = false;
  for (auto it = task_.nodes.rbegin(); it != task_.nodes.rend(); ++it) {
    const Node& node = **it;
    if (!decision_.accepts(node) || task_.rule_of(node)->role == Role::compute || is_table(node) ||
        keeps_floats(node, task_) || task_.rule_of(node)->always_codes)
      continue;
    const bool read = read_in_float(node);
    const Node* producer = decision_.fusion_of(node);
    // What a product is fused with makes its codes; a Clip behind a pool goes with the pool.
    if ((producer != nullptr && task_.rule_of(*producer)->role == Role::compute) ||
        !(read || decision_.leaves_in_float(node) || adds_to_last_product(node)))
      continue;
    task_.left_out[&node] = read ? "only operators that stay float read its result"
                                 : "its result leaves the graph in float";
    decision_.drop(node);
    changed = true;
  }
  return changed;
}

// Nothing but arithmetic in float and moves stand between the value and the graph's end.
bool DraftRevision::ends_the_graph(const Value& value) {
  if (const auto known = ends_.find(&value); known != ends_.end()) return known->second;
  const bool ends = only_arithmetic_follows(value);
  ends_.emplace(&value, ends);
  return ends;
}

bool DraftRevision::only_arithmetic_follows(const Value& value) {
  return (value.is_output() || !value.uses().empty()) &&
         std::ranges::all_of(value.uses(), [&](const Use& use) {
           const OpRule* rule = task_.rule_of(*use.node);
           const bool layer =
               rule != nullptr && (rule->role == Role::compute || rule->role == Role::weights);
           const bool follows = rule != nullptr && rule->role == Role::share;
           return &use.node->graph() == &task_.graph && !layer &&
                  (follows || !decision_.accepts(*use.node)) &&
                  std::ranges::all_of(use.node->outputs(), [&](const Value* made) {
                    return made == nullptr || ends_the_graph(*made);
                  });
         });
}

// Layers that make results of the graph, scores mostly, and have no integer form with a float
// result: in 8 bits scores tie. Where they are few products, all of them compute in float, and of
// layers that are normalized by channel those of the fewest products.
bool DraftRevision::leave_results_float() {
  const bool takes_floats = std::ranges::any_of(
      task_.target.ops, [](const auto& item) { return item.second.float_output; });
  if (task_.target.engine == Engine::pairs || !takes_floats || task_.results_left) return false;
  task_.results_left = true;
  std::vector<const Node*> last;
  std::vector<std::pair<std::int64_t, const Node*>> normalized;
  std::int64_t all = 0, share = 0;
  for (const Node* node : task_.nodes) {
    if (!decision_.accepts(*node) || task_.rule_of(*node)->role != Role::compute) continue;
    const std::int64_t macs = macs_of(*node).value_or(0);
    all += macs;
    if (task_.rule_of(*node)->float_output) continue;
    if (is_normalized_by_channel(*node)) normalized.emplace_back(macs, node);
    if (!ends_the_graph(*node->output(0))) continue;
    last.push_back(node);
    share += macs;
  }
  const auto percent = [&](std::int64_t macs) {
    return 100.0 * static_cast<double>(macs) / static_cast<double>(all);
  };
  if (all == 0) return false;
  if (percent(share) > most_of_results) last.clear(), share = 0;
  for (const Node* node : last)
    task_.left_out[node] = fmt::format(
        "its result leaves the graph in float, for {:.1f} % of the products", percent(share));
  std::ranges::stable_sort(normalized, {}, &std::pair<std::int64_t, const Node*>::first);
  for (const auto& [macs, node] : normalized) {
    share += macs;
    if (percent(share) > most_of_results) break;
    task_.left_out[node] = fmt::format(
        "its result is normalized channel by channel, for {:.1f} % of the products", percent(macs));
    last.push_back(node);
  }
  return !last.empty();
}

// Every result has readers, and none of them takes codes.
bool DraftRevision::read_in_float(const Node& node) const {
  return std::all_of(node.outputs().begin(), node.outputs().end(), [&](const Value* value) {
    return value == nullptr ||
           (!value->is_output() && !value->uses().empty() &&
            std::none_of(value->uses().begin(), value->uses().end(),
                         [&](const Use& use) { return decision_.takes_codes(*use.node); }));
  });
}

// The bias behind a MatMul at the graph's end, and a residual added to both: together they are
// the Gemm whose scores stay float.
bool DraftRevision::adds_to_last_product(const Node& node) const {
  return node.is("Add") && decision_.only_leaves(*node.output(0)) && adds_to_product(node);
}

bool DraftRevision::adds_to_product(const Node& add) const {
  return std::ranges::any_of(add.inputs(), [&](const Value* input) {
    const Node* before = input != nullptr ? input->producer() : nullptr;
    if (before == nullptr || !decision_.accepts(*before) || only_reader(input) != &add)
      return false;
    const OpRule& rule = *task_.rule_of(*before);
    return (rule.role == Role::compute && rule.float_output) ||
           (before->is("Add") && adds_to_product(*before));
  });
}

}  // namespace intaglio
