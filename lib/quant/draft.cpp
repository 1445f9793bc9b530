#include "lib/quant/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "lib/graph/macs.h"
#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"
#include "lib/quant/filter.h"
#include "lib/quant/fusion.h"
#include "lib/quant/kernel_limits.h"
#include "lib/quant/weights.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

std::string producer_name(const Node& node) {
  return node.name().empty() ? node.op() : node.name();
}

bool is_f32(const Value* value) { return value != nullptr && value->dtype() == DType::f32; }

// What layers in float may take of all products so that results are exact, in percent.
constexpr double most_of_results = 8;

// Values tied together: a small union-find over names, led by the value that was named first.
class Groups {
 public:
  const std::string& leader(const std::string& name) {
    std::string& parent = parent_.try_emplace(name, name).first->second;
    if (parent != name) parent = leader(parent);
    return parent;
  }
  void tie(const std::string& a, const std::string& b) {
    const std::string first = leader(a), second = leader(b);
    if (first != second) parent_[second] = first;
  }

 private:
  std::map<std::string, std::string> parent_;
};

class Drafter {
 public:
  Drafter(const Graph& graph, const Target& target, const Selection& selection)
      : graph_(graph),
        target_(target),
        nodes_(graph.nodes()),
        filter_(nodes_, selection),
        shares_tables_(target.engine != Engine::pairs && selection.raised.empty()) {}

  Plan run() {
    Plan plan;
    plan.target = target_.name;
    decide();
    while (drop_amid_float() || drop_useless() || leave_results_float()) decide();
    for (const Node* node : nodes_) plan.nodes.push_back(node_plan(*node));
    for (const Value* value : ordered_values()) {
      if (!quantized_.contains(value)) continue;
      ActivationPlan activation{
          value->name(), target_.activations, groups_.leader(value->name()), {}, {}, {}};
      activation.scheme.axis.reset();
      plan.activations.push_back(std::move(activation));
    }
    name_groups_after_first(plan);
    return plan;
  }

 private:
  void decide() {
    accepted_.clear();
    quantized_.clear();
    reasons_.clear();
    shared_tables_.clear();
    groups_ = {};
    for (const Node* node : nodes_) consider(*node);
    for (const Node* node : nodes_) share_table(*node);
    // A mover follows its input; its output may in turn feed another mover, in any order of
    // listing.
    for (bool changed = true; changed;) {
      changed = false;
      for (const Node* node : nodes_) changed |= follow(*node);
    }
  }

  // Arithmetic on what a float operator makes, in its size (gamma and beta of a normalization, the
  // last steps of Gelu): to have it in integers, floats would be rounded for it alone. Chains go
  // from their beginning, but not on through values of several readers: a residual stream keeps its
  // codes.
  bool drop_amid_float() {
    bool changed = false;
    for (const Node* node : nodes_) {
      if (!accepted_.contains(node) || !computes_by_element(*node)) continue;
      if (!std::ranges::any_of(node->inputs(), [&](const Value* input) {
            return made_in_float(input) && as_large(*input, *first_output(*node));
          }))
        continue;
      useless_[node] = "what it reads is computed in float";
      accepted_.erase(node);
      changed = true;
    }
    return changed;
  }

  bool computes_by_element(const Node& node) const {
    const Role role = rule_of(node)->role;
    return role == Role::elementwise || (role == Role::activation && fusion_of(node) == nullptr);
  }

  // An operator makes it that the target leaves float whatever its neighbours are, or arithmetic
  // behind one that nothing else reads; moved about or not.
  bool made_in_float(const Value* value) const {
    const Node* node = value != nullptr ? value->producer() : nullptr;
    if (!is_f32(value) || node == nullptr || accepted_.contains(node)) return false;
    const OpRule* rule = rule_of(*node);
    if (rule == nullptr || leaves_rule(*node, *rule) || slow_kernel(*node, target_.engine))
      return true;
    if (rule->role == Role::share) return made_in_float(node->input(0));
    return useless_.contains(node) && computes_by_element(*node) && only_reader(value) != nullptr;
  }

  // Of known sizes, or along axes of the same names, or of none.
  static bool as_large(const Value& part, const Value& whole) {
    if (!part.dims() || !whole.dims() || part.rank() != whole.rank()) return false;
    return std::ranges::equal(*part.dims(), *whole.dims(), [](const Dim& a, const Dim& b) {
      return a.known() || b.known() ? a.value == b.value : a.symbol == b.symbol;
    });
  }

  // Arithmetic between float operators, or between them and the graph's end: codes behind it would
  // only be rounded and turned back. Chains go from their end.
  bool drop_useless() {
    bool changed = false;
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) {
      const Node& node = **it;
      if (!accepted_.contains(&node) || rule_of(node)->role == Role::compute || is_table(node) ||
          keeps_floats(node))
        continue;
      const bool read = read_in_float(node);
      const Node* producer = fusion_of(node);
      // What a product is fused with makes its codes; a Clip behind a pool goes with the pool.
      if ((producer != nullptr && rule_of(*producer)->role == Role::compute) ||
          !(read || leaves_in_float(node) || adds_to_last_product(node)))
        continue;
      useless_[&node] = read ? "only operators that stay float read its result"
                             : "its result leaves the graph in float";
      accepted_.erase(&node);
      changed = true;
    }
    return changed;
  }

  // Nothing but arithmetic in float and moves stand between the value and the graph's end.
  bool ends_the_graph(const Value& value) {
    if (const auto known = ends_.find(&value); known != ends_.end()) return known->second;
    const bool ends = only_arithmetic_follows(value);
    ends_.emplace(&value, ends);
    return ends;
  }

  bool only_arithmetic_follows(const Value& value) {
    return (value.is_output() || !value.uses().empty()) &&
           std::ranges::all_of(value.uses(), [&](const Use& use) {
             const OpRule* rule = rule_of(*use.node);
             const bool layer =
                 rule != nullptr && (rule->role == Role::compute || rule->role == Role::weights);
             const bool follows = rule != nullptr && rule->role == Role::share;
             return &use.node->graph() == &graph_ && !layer &&
                    (follows || !accepted_.contains(use.node)) &&
                    std::ranges::all_of(use.node->outputs(), [&](const Value* made) {
                      return made == nullptr || ends_the_graph(*made);
                    });
           });
  }

  // Layers that make results of the graph, scores mostly, and have no integer form with a float
  // result: in 8 bits scores tie. Where they are few products, all of them compute in float, and of
  // layers that are normalized by channel those of the fewest products.
  bool leave_results_float() {
    const bool takes_floats =
        std::ranges::any_of(target_.ops, [](const auto& item) { return item.second.float_output; });
    if (target_.engine == Engine::pairs || !takes_floats || results_left_) return false;
    results_left_ = true;
    std::vector<const Node*> last;
    std::vector<std::pair<std::int64_t, const Node*>> normalized;
    std::int64_t all = 0, share = 0;
    for (const Node* node : nodes_) {
      if (!accepted_.contains(node) || rule_of(*node)->role != Role::compute) continue;
      const std::int64_t macs = macs_of(*node).value_or(0);
      all += macs;
      if (rule_of(*node)->float_output) continue;
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
      useless_[node] = fmt::format(
          "its result leaves the graph in float, for {:.1f} % of the products", percent(share));
    std::ranges::stable_sort(normalized, {}, &std::pair<std::int64_t, const Node*>::first);
    for (const auto& [macs, node] : normalized) {
      share += macs;
      if (percent(share) > most_of_results) break;
      useless_[node] =
          fmt::format("its result is normalized channel by channel, for {:.1f} % of the products",
                      percent(macs));
      last.push_back(node);
    }
    return !last.empty();
  }

  // Channels of one scale lose what a normalization by channel would bring up again.
  static bool is_normalized_by_channel(const Node& node) {
    const Node* reader = only_reader(node.output(0));
    return reader != nullptr && &reader->graph() == &node.graph() &&
           (reader->is("InstanceNormalization") || reader->is("GroupNormalization"));
  }

  // A Gather that looks rows up in a large constant: the constant is stored in codes, its rows are
  // dequantized when they are found.
  static bool is_table(const Node& node) {
    return traits_of(node).weights == WeightKind::table && !weight_inputs(node).empty();
  }

  // Its weights alone are codes.
  bool keeps_floats(const Node& node) const {
    const OpRule* rule = rule_of(node);
    return rule != nullptr && rule->role == Role::weights;
  }

  bool takes_codes(const Node& node) const {
    return accepted_.contains(&node) && !keeps_floats(node);
  }

  // Whether all that read the value take its codes, moved about or not.
  bool only_taken_as_codes(const Value& value) const {
    return !value.is_output() && !value.uses().empty() &&
           std::all_of(value.uses().begin(), value.uses().end(), [&](const Use& use) {
             const OpRule* rule = rule_of(*use.node);
             if (rule == nullptr || rule->role != Role::share || !moves_only(*use.node))
               return takes_codes(*use.node) && quantized_.contains(&value);
             return use.index == 0 && !obstacle(*use.node) && use.node->output(0) != nullptr &&
                    only_taken_as_codes(*use.node->output(0));
           });
  }

  // Rows of a table that are quantized as soon as they are found have the codes of that in the
  // table already: dequantizing them by column would take a runtime longer than the float rows do.
  void share_table(const Node& node) {
    if (!shares_tables_ || !accepted_.contains(&node) || !is_table(node) ||
        !only_taken_as_codes(*node.output(0)))
      return;
    quantize_value(node.output(0));
    shared_tables_.insert(&node);
  }

  // Every result has readers, and none of them takes codes.
  bool read_in_float(const Node& node) const {
    return std::all_of(node.outputs().begin(), node.outputs().end(), [&](const Value* value) {
      return value == nullptr ||
             (!value->is_output() && !value->uses().empty() &&
              std::none_of(value->uses().begin(), value->uses().end(),
                           [&](const Use& use) { return takes_codes(*use.node); }));
    });
  }

  // Its results are floats that only leave the graph: what it reads need not be codes either.
  bool leaves_in_float(const Node& node) const {
    return rule_of(node)->float_output &&
           std::all_of(node.outputs().begin(), node.outputs().end(),
                       [&](const Value* value) { return value == nullptr || only_leaves(*value); });
  }

  // The bias behind a MatMul at the graph's end, and a residual added to both: together they are
  // the Gemm whose scores stay float.
  bool adds_to_last_product(const Node& node) const {
    return node.is("Add") && only_leaves(*node.output(0)) && adds_to_product(node);
  }

  bool adds_to_product(const Node& add) const {
    return std::ranges::any_of(add.inputs(), [&](const Value* input) {
      const Node* before = input != nullptr ? input->producer() : nullptr;
      if (before == nullptr || !accepted_.contains(before) || only_reader(input) != &add)
        return false;
      const OpRule& rule = *rule_of(*before);
      return (rule.role == Role::compute && rule.float_output) ||
             (before->is("Add") && adds_to_product(*before));
    });
  }

  const OpRule* rule_of(const Node& node) const { return intaglio::rule_of(node, target_); }

  void refuse(const Node& node, std::string reason) { reasons_[&node] = std::move(reason); }

  // Why the node cannot be quantized, whatever its neighbours are.
  std::optional<std::string> obstacle(const Node& node) const {
    const OpRule* rule = rule_of(node);
    if (const auto no = filter_.refuse(node)) return no;
    if (const auto it = useless_.find(&node); it != useless_.end()) return it->second;
    if (!node.nested_graphs().empty()) return "runs nested graphs, which stay float";
    if (rule != nullptr && rule->role == Role::weights) return weights_obstacle(node);
    const Value* made = first_output(node);
    if (made == nullptr) return "makes nothing";
    if (!is_f32(made))
      return made->dtype() != DType::undefined
                 ? fmt::format("computes on {}: nothing to quantize", name_of(made->dtype()))
                 : "the type of its result is not known before the run";
    if (rule == nullptr)
      return fmt::format("target '{}' does not quantize {}", target_.name, node.op());
    if (!is_f32(node.input(0))) return "its input is not float32";
    if (leaves_rule(node, *rule)) return rule->left_float;
    if (auto fault = kernel_fault(node, target_.engine)) return fault;
    if (auto slow = slow_kernel(node, target_.engine)) return slow;
    if (rule->role == Role::compute) return compute_obstacle(node);
    return constant_obstacle(node);
  }

  // The rule's left_float holds, unless results must leave the graph as codes.
  static bool leaves_rule(const Node& node, const OpRule& rule) {
    const Value* made = first_output(node);
    return !rule.left_float.empty() && (rule.float_output || made == nullptr || !made->is_output());
  }

  // An infinity has no code: it masks, which floats alone can do.
  static std::optional<std::string> constant_obstacle(const Node& node) {
    for (const Value* input : node.inputs()) {
      if (!is_f32(input) || !input->is_constant()) continue;
      if (!std::ranges::all_of(input->constant().data<float>(),
                               [](float v) { return std::isfinite(v); }))
        return fmt::format("its constant '{}' holds infinities or NaN, which have no codes",
                           input->name());
    }
    return std::nullopt;
  }

  static std::optional<std::string> weights_obstacle(const Node& node) {
    if (!is_f32(node.input(0))) return "its input is not float32";
    if (weight_inputs(node).empty()) return "its weights are no float32 constants";
    return std::nullopt;
  }

  std::optional<std::string> compute_obstacle(const Node& node) const {
    const Value* weight = node.input(1);
    if (!is_f32(weight)) return "its weight is not float32";
    if (node.is("MatMul")) return std::nullopt;  // two activations will do
    if (!weight->is_constant()) return "its weight is computed while the model runs";
    if (node.input(0)->is_constant()) return "its data is a constant";
    if (node.is("Gemm") && (node.attr_float("alpha", 1) != 1 || node.attr_float("beta", 1) != 1))
      return "alpha or beta is not 1";
    return std::nullopt;
  }

  // The producer that an activation is fused into, or null.
  const Node* fusion_of(const Node& node) const {
    const Node* producer = fused_producer(node, target_);
    return producer != nullptr && accepted_.contains(producer) ? producer : nullptr;
  }

  // The activation that will be fused into this node, so that no pair goes between them.
  const Node* activation_of(const Node& node) const {
    const Node* activation = fused_activation(node, target_);
    return activation != nullptr && !obstacle(*activation) ? activation : nullptr;
  }

  void quantize_value(const Value* value) {
    if (is_f32(value) && !value->is_constant()) quantized_.insert(value);
  }

  // The value is a graph output, or becomes one by movers alone, or is read by operators that stay
  // float.
  bool only_leaves(const Value& value) const {
    return (value.is_output() || !value.uses().empty()) &&
           std::all_of(value.uses().begin(), value.uses().end(), [&](const Use& use) {
             const OpRule* rule = rule_of(*use.node);
             if (rule == nullptr || keeps_floats(*use.node) || obstacle(*use.node)) return true;
             return rule->role == Role::share && use.index == 0 && use.node->output(0) != nullptr &&
                    only_leaves(*use.node->output(0));
           });
  }

  void quantize_output(const Node& node) {
    if (activation_of(node) != nullptr) return;
    if (!leaves_in_float(node)) quantize_value(node.output(0));
  }

  // A mover that changes values on its way (a constant that Pad puts in, a cubic Resize that
  // overshoots) has a range of its own.
  static bool moves_only(const Node& node) {
    const auto makes_values = traits_of(node).makes_values;
    return makes_values == nullptr || !makes_values(node);
  }

  void consider(const Node& node) {
    if (const auto reason = obstacle(node)) return refuse(node, *reason);
    const OpRule& rule = *rule_of(node);
    if (is_table(node) || rule.role == Role::weights) {
      accepted_.insert(&node);
      return;
    }
    if (rule.role == Role::share) {
      if (moves_only(node))
        return refuse(node, "its input is not quantized");  // until follow() finds it is
    }
    accepted_.insert(&node);
    if (rule.role == Role::activation && fusion_of(node) != nullptr) {
      quantize_output(node);
      return;
    }
    const std::size_t data_inputs = rule.role == Role::compute ? (node.is("MatMul") ? 2 : 1)
                                    : rule.role == Role::share || rule.role == Role::activation
                                        ? 1
                                        : node.inputs().size();
    for (std::size_t i = 0; i < data_inputs; ++i) quantize_value(node.input(i));
    quantize_output(node);
    if (rule.role == Role::join)
      for (const Value* input : node.inputs())
        if (quantized_.contains(input) && quantized_.contains(node.output(0)))
          groups_.tie(input->name(), node.output(0)->name());
  }

  bool follow(const Node& node) {
    const OpRule* rule = rule_of(node);
    if (rule == nullptr || rule->role != Role::share || accepted_.contains(&node) ||
        obstacle(node) || !quantized_.contains(node.input(0)))
      return false;
    reasons_.erase(&node);
    accepted_.insert(&node);
    for (const Value* output : node.outputs()) {
      if (!is_f32(output)) continue;
      quantize_value(output);
      groups_.tie(node.input(0)->name(), output->name());
    }
    return true;
  }

  NodePlan node_plan(const Node& node) {
    NodePlan plan{node.name(), node.op(), first_output(node) ? first_output(node)->name() : "",
                  false,       "",        {},
                  {}};
    if (!accepted_.contains(&node)) {
      plan.reason = reasons_.at(&node);
      return plan;
    }
    plan.quantized = true;
    const Role role = rule_of(node)->role;
    if (const Node* producer = role == Role::activation ? fusion_of(node) : nullptr)
      plan.reason = fmt::format("fused into {}", producer_name(*producer));
    if (role == Role::weights) plan.reason = "weights alone: it computes on floats";
    if (shared_tables_.contains(&node)) {
      plan.constants.push_back(
          {0, node.input(0)->name(), operand_scheme(), {}, groups_.leader(node.output(0)->name())});
    } else if (is_table(node) || role == Role::weights) {
      for (const WeightInput& weight : weight_inputs(node)) {
        Scheme scheme = target_.weights;
        scheme.axis = target_.per_channel ? weight.axis : std::nullopt;
        plan.constants.push_back({weight.input, node.input(weight.input)->name(), scheme, {}, {}});
      }
    } else if (role == Role::compute) {
      const Node* activation = activation_of(node);
      if (activation != nullptr && fused_in_float(node, *activation, target_))
        plan.reason =
            fmt::format("computes in float with {}: few products a result", activation->op());
      plan_weight(node, plan);
    } else if (role == Role::elementwise || role == Role::join) {
      for (std::size_t i = 0; i < node.inputs().size(); ++i)
        if (is_f32(node.input(i)) && node.input(i)->is_constant())
          plan.constants.push_back(
              {i,
               node.input(i)->name(),
               operand_scheme(),
               {},
               role == Role::join ? groups_.leader(node.output(0)->name()) : ""});
    }
    return plan;
  }

  Scheme operand_scheme() const {
    Scheme scheme = target_.activations;
    scheme.axis.reset();
    return scheme;
  }

  void plan_weight(const Node& node, NodePlan& plan) {
    for (std::size_t i = 0; i < 2; ++i) {
      const Value* value = node.input(i);
      if (!value->is_constant()) continue;
      // On the left stands what kernels take as data, constant or not.
      Scheme scheme = i == 0 ? operand_scheme() : target_.weights;
      if (i == 1 && target_.per_channel && rule_of(node)->per_channel)
        scheme.axis = channel_axis(node);
      plan.constants.push_back({i, value->name(), scheme, {}, {}});
    }
    const Value* bias = node.input(2);
    if (bias == nullptr || target_.float_bias) return;
    if (bias_fits(node)) {
      plan.bias = BiasPlan{2, bias->name(), {}};
    } else {
      plan.reason =
          "its bias stays float: it is no constant vector with one value per output channel";
    }
  }

  // A bias goes into the int32 accumulator when it is one constant per output channel.
  static bool bias_fits(const Node& node) {
    const Value* bias = node.input(2);
    if (!bias->is_constant() || !is_f32(bias)) return false;
    const Tensor& weight = node.input(1)->constant();
    const auto axis = static_cast<std::size_t>(*channel_axis(node));
    const std::int64_t groups = node.is("ConvTranspose") ? node.attr_int("group", 1) : 1;
    const Tensor& b = bias->constant();
    return b.size() == weight.dim(axis) * groups && b.rank() >= 1 && b.shape().back() == b.size();
  }

  std::vector<const Value*> ordered_values() const {
    std::vector<const Value*> values(graph_.inputs().begin(), graph_.inputs().end());
    for (const Node* node : nodes_)
      for (const Value* output : node->outputs())
        if (output != nullptr) values.push_back(output);
    return values;
  }

  const Graph& graph_;
  const Target& target_;
  const std::vector<Node*> nodes_;
  NodeFilter filter_;
  const bool shares_tables_;  // rows of tables have the codes of what reads them
  std::set<const Node*> accepted_;
  std::map<const Node*, std::string> useless_;  // and why
  bool results_left_ = false;
  std::map<const Value*, bool> ends_;  // of ends_the_graph(): joins are met once, not on every path
  std::set<const Value*> quantized_;
  std::set<const Node*> shared_tables_;  // whose codes are those of their rows
  std::map<const Node*, std::string> reasons_;
  Groups groups_;
};

}  // namespace

Plan draft(const Graph& graph, const Target& target, const Selection& selection) {
  Plan plan = Drafter(graph, target, selection).run();
  raise(plan, graph, target, selection.raised);
  return plan;
}

}  // namespace intaglio
