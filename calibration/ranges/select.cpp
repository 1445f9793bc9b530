#include "calibration/ranges/select.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "calibration/ranges/leaky_relu_scale.h"
#include "calibration/ranges/unshared.h"
#include "calibration/statistics/state_inputs.h"
#include "lib/base/parallel.h"
#include "lib/graph/op_traits.h"
#include "lib/quant/array.h"
#include "lib/quant/half_precision.h"
#include "lib/quant/range_rules.h"
#include "lib/quant/shared_weights.h"
#include "lib/quant/sum_bounds.h"
#include "lib/quant/wide_activations.h"

namespace intaglio {
namespace {

class Selecting {
 public:
  Selecting(Plan& plan, const Graph& graph, const Observations& observations,
            const SelectOptions& options)
      : plan_(plan),
        graph_(graph),
        observations_(observations),
        options_(options),
        scores_(scores(graph)),
        states_(ranges_of_states(graph, observations)) {}

  void run() {
    choose_ranges();
    join_groups();
    if (options_.unshare) unshare();
    note_groups();
    for (ActivationPlan& activation : plan_.activations) avoid_ties(activation);
    if (options_.method.traits.minimizes_error)
      for (ActivationPlan& activation : plan_.activations) keep_scale(activation);
    for (ActivationPlan& activation : plan_.activations) {
      activation.range = groups_.at(activation.group);
      activation.params =
          choose_qparams(std::span(&activation.range, 1), activation.scheme, options_.min_range);
      read_[activation.name] = &activation;
    }
    if (options_.unshare) end_at_bounds();
    parallel_for(plan_.nodes.size(), options_.threads,
                 [&](std::size_t, std::size_t i) { choose_weights(plan_.nodes[i]); });
    for (NodePlan& node : plan_.nodes) {
      guard_biases(node);
      guard_sums(node);
    }
    unite_shared_weights(plan_);
    for (NodePlan& node : plan_.nodes)
      if (node.quantized && node.bias) choose_bias(node, *graph_.find(node.output)->producer());
    report_halves();
  }

 private:
  void warn(std::string text) { plan_.warnings.push_back(std::move(text)); }

  // --- Activations ---

  void choose_ranges() {
    for (const auto& [input, output] : states_)
      warn(
          fmt::format("input '{}' was zero in every sample: it has the range of the output '{}', "
                      "which feeds it in the next run",
                      input, output));
    for (ActivationPlan& activation : plan_.activations) examine(activation);
    std::vector<std::string> notes(plan_.activations.size());
    parallel_for(plan_.activations.size(), options_.threads, [&](std::size_t, std::size_t i) {
      notes[i] = choose_range(plan_.activations[i]);
    });
    std::size_t chosen = 0, unresolved = 0;
    for (std::size_t i = 0; i < notes.size(); ++i) {
      const ActivationPlan& activation = plan_.activations[i];
      chosen += seen(activation).finite() > 0 && !left_to_pools(activation);
      unresolved += !notes[i].empty();
      if (!notes[i].empty()) plan_.activations[i].notes.push_back(std::move(notes[i]));
    }
    if (unresolved == 0) return;
    if (unresolved == chosen)
      throw Error(Code::data,
                  fmt::format("{}: no value was observed often enough", options_.method.text()),
                  "Give more `data`, or a parameter that fewer samples can resolve.");
    warn(fmt::format(
        "{}: {} of {} values were observed too rarely and took min and max (see their notes)",
        options_.method.text(), unresolved, chosen));
  }

  // What was measured of it; of a state input that was zero, what feeds it in the next run.
  const Statistics& seen(const ActivationPlan& activation) const {
    static const Statistics nothing;
    const Value* input = input_of(*graph_.find(activation.name));
    const auto state = input != nullptr ? states_.find(input->name()) : states_.end();
    const bool fed = state != states_.end() && is_zero(observations_, activation.name);
    const auto it = observations_.values.find(fed ? state->second : activation.name);
    return it == observations_.values.end() ? nothing : it->second;
  }

  void examine(ActivationPlan& activation) {
    const Statistics& s = seen(activation);
    if (s.nans + s.infs > 0) {
      const std::string found = fmt::format("value '{}': {} NaN and {} infinite of {} values",
                                            activation.name, s.nans, s.infs, s.count);
      if (options_.nonfinite == NonFinite::error)
        throw Error(Code::data, found,
                    "Mend the model or its input, or leave them out with `nonfinite ignore`.");
      warn(found + " were left out of its range");
    }
    if (s.finite() == 0) {
      activation.notes.emplace_back("never observed");
      warn(fmt::format(
          "value '{}': no finite value was observed; it is quantized as if it were zero",
          activation.name));
    } else if (s.min == 0 && s.max == 0) {
      activation.notes.emplace_back("dead");
      warn(fmt::format("value '{}': is zero in every sample", activation.name));
    }
  }

  // Returns the note of the method.
  std::string choose_range(ActivationPlan& activation) const {
    const Statistics& s = seen(activation);
    activation.range = {0, 0};
    if (s.finite() == 0 || left_to_pools(activation)) return "";
    if (s.max != 0 && is_zero(observations_, activation.name))
      activation.notes.emplace_back("zero in every sample: has the range of what feeds it");
    if (scores_.contains(activation.name)) {
      activation.range = {s.min, s.max};
      if (!options_.method.traits.keeps_extremes)
        activation.notes.emplace_back("scores keep their whole range");
      return "";
    }
    const Value& value = *graph_.find(activation.name);
    const double slope = slope_of_readers(value);
    const Choice choice = options_.method.selector(s, grid_of(activation.scheme), {slope * slope});
    activation.range = choice.range;
    activation.range = within(activation.range, bound_of_producer(value), activation.notes);
    activation.range =
        within(activation.range, bound_of_readers(value, bits_of(activation.scheme.type)),
               activation.notes);
    return choice.note;
  }

  void join_groups() {
    for (ActivationPlan& activation : plan_.activations)
      if (!left_to_pools(activation)) widen(activation.group, activation.range);
    for (const NodePlan& node : plan_.nodes)
      for (const ConstantPlan& constant : node.constants)
        if (!constant.group.empty() && node.op != "Gather")  // which is seen by the rows it finds
          widen(constant.group,
                ranges_of(graph_.find(constant.name)->constant(), std::nullopt).front());
  }

  // Takes values out of groups whose range would cost them a fusion. What stays keeps the joint
  // range.
  void unshare() {
    const auto parts = unshared(plan_, graph_, groups_);
    if (parts.empty()) return;
    const auto joint = groups_;
    for (const UnsharedPart& part : parts)
      for (const std::string& name : part.values) plan_.find(name)->group = part.group;
    std::map<std::string, std::string> before;  // by value that stays
    for (const ActivationPlan& a : plan_.activations)
      if (joint.contains(a.group)) before[a.name] = a.group;
    name_groups_after_first(plan_);
    groups_.clear();
    join_groups();
    std::map<std::string, std::string> renamed;
    for (const auto& [name, group] : before) {
      renamed[group] = plan_.find(name)->group;
      groups_[renamed[group]] = joint.at(group);
    }
    for (const UnsharedPart& part : parts) {
      ActivationPlan& made = *plan_.find(part.maker);
      groups_[made.group] = part.range;
      made.notes.push_back(
          fmt::format("has not the range of '{}', with which the {} could not end "
                      "the {}",
                      renamed[part.joined], graph_.find(made.name)->producer()->op(), part.fused));
    }
  }

  // Steps of a range that lies evenly around 0 (Clip to -4..4) leave half a step beyond one bound,
  // or, by the last bit, not: a little finer, they reach the codes that the bounds saturate to.
  void end_at_bounds() {
    for (const ActivationPlan& clipped : plan_.activations) {
      const Node* clip = graph_.find(clipped.name)->producer();
      if (clip == nullptr || !clip->is("Clip") || plan_.find(clip->input(0)->name()) != nullptr)
        continue;
      const Bound bound = bound_of_producer(*graph_.find(clipped.name));
      const auto saturates = [&](const QParams& params) {
        return saturates_at(params, clipped.scheme, static_cast<double>(bound.lo),
                            static_cast<double>(bound.hi));
      };
      const QParams finer = slightly_finer(clipped.params);
      if (saturates(clipped.params) || !saturates(finer)) continue;
      for (ActivationPlan& other : plan_.activations)
        if (other.group == clipped.group) other.params = finer;
    }
  }

  void note_groups() {
    for (ActivationPlan& activation : plan_.activations)
      if (left_to_pools(activation))
        activation.notes.emplace_back("has the range of what MaxPool makes of it");
      else if (groups_.at(activation.group) != activation.range)
        activation.notes.push_back(fmt::format("shares the range of '{}'", activation.group));
  }

  // Whether the values that pools make of it, which share its parameters, decide.
  bool left_to_pools(const ActivationPlan& activation) const {
    const Value& value = *graph_.find(activation.name);
    return only_pooled(value) && std::ranges::all_of(value.uses(), [&](const Use& use) {
             const Value* made = use.node->output(0);
             const ActivationPlan* pooled = made == nullptr ? nullptr : plan_.find(made->name());
             return pooled != nullptr && pooled->group == activation.group;
           });
  }

  void widen(const std::string& group, const Range& range) {
    const auto [it, fresh] = groups_.try_emplace(group, range);
    if (!fresh) it->second = join(it->second, range);
  }

  // An input of few distinct values leads its group: what shares its parameters only moves it
  // about.
  void avoid_ties(ActivationPlan& activation) {
    const auto it = observations_.inputs.find(activation.name);
    if (it == observations_.inputs.end() || activation.group != activation.name) return;
    Range& range = groups_.at(activation.group);
    const Range better = without_ties(range, it->second, activation.scheme);
    if (better == range) return;
    activation.notes.emplace_back("widened so that its levels do not fall on half steps");
    range = better;
  }

  // Whether all values that share its parameters are moved copies of it.
  bool shares_with_copies_alone(const ActivationPlan& first) const {
    return std::ranges::all_of(plan_.activations, [&](const ActivationPlan& other) {
      if (other.group != first.group || &other == &first) return true;
      const Node* mover = graph_.find(other.name)->producer();
      if (mover == nullptr || traits_of(*mover).joins || mover->input(0) == nullptr) return false;
      const ActivationPlan* moved = plan_.find(mover->input(0)->name());
      return moved != nullptr && moved->group == first.group;
    });
  }

  // Of a LeakyRelu. Its input comes first in the plan.
  void keep_scale(ActivationPlan& result) {
    const Node* leaky = graph_.find(result.name)->producer();
    const auto slope_of = leaky != nullptr ? traits_of(*leaky).slope_below_zero : nullptr;
    if (slope_of == nullptr || result.group != result.name || !shares_with_copies_alone(result))
      return;
    const ActivationPlan* input = plan_.find(leaky->input(0)->name());
    const double slope = slope_of(*leaky);
    if (input == nullptr || seen(result).finite() == 0 || !(slope >= 0 && slope <= 1)) return;
    Range& range = groups_.at(result.group);
    const auto kept = leaky_relu_scale(groups_.at(input->group), range, slope, seen(result),
                                       grid_of(result.scheme), options_.min_range);
    if (!kept) return;
    result.notes.push_back(fmt::format("keeps the scale of '{}'", input->name));
    range = *kept;
  }

  // --- Constants ---

  void choose_weights(NodePlan& node) const {
    if (!node.quantized) return;
    for (ConstantPlan& constant : node.constants) {
      if (!constant.group.empty()) {
        constant.params = plan_.find(constant.group)->params;
        continue;
      }
      try {
        const Tensor& tensor = graph_.find(constant.name)->constant();
        if (is_half(constant.scheme.type)) {
          ranges_of(tensor, std::nullopt);  // refuses NaN and infinity
          constant.params = {constant.scheme.type, std::nullopt, {}, {}};
          continue;
        }
        constant.params = choose_qparams(weight_ranges(tensor, constant.scheme, options_.weights),
                                         constant.scheme);
      } catch (const Error& e) {
        throw e.within(fmt::format("{}: constant '{}'",
                                   graph_.find(node.output)->producer()->label(), constant.name));
      }
    }
  }

  // What the weights in half precision have lost.
  void report_halves() {
    std::uint64_t vanished = 0, constants = 0;
    for (const NodePlan& node : plan_.nodes)
      for (const ConstantPlan& constant : node.constants) {
        if (!node.quantized || !is_half(constant.scheme.type)) continue;
        const HalfLoss loss =
            half_loss(graph_.find(constant.name)->constant(), constant.scheme.type);
        if (loss.beyond > 0)
          warn(fmt::format("constant '{}': {} values lie beyond {} and become its largest, {}",
                           constant.name, loss.beyond, name_of(constant.scheme.type),
                           half_range(constant.scheme.type).hi));
        vanished += loss.vanished;
        constants += loss.vanished > 0;
      }
    if (vanished > 0)
      warn(fmt::format("{} values of {} constants are too small for half precision and become 0",
                       vanished, constants));
  }

  void guard_biases(NodePlan& node) {
    if (!node.quantized || !node.bias) return;
    const Node& in_graph = *graph_.find(node.output)->producer();
    for (ConstantPlan& constant : node.constants) guard(node, in_graph, constant);
  }

  float input_scale(const NodePlan& plan, const Node& node) const {
    return scale_read(plan, *read_.at(node.input(0)->name()));
  }

  void guard(const NodePlan& node, const Node& in_graph, ConstantPlan& weight) {
    const Tensor& bias = graph_.find(node.bias->name)->constant();
    refine_dead_channels(graph_.find(weight.name)->constant(), bias, input_scale(node, in_graph),
                         weight.params);
    weight.raised = guard_bias_overflow(bias, input_scale(node, in_graph), weight.params);
    if (weight.raised > 0)
      warn(fmt::format("{}: {} weight scale(s) raised so that the int32 bias does not overflow",
                       in_graph.label(), weight.raised));
  }

  // How far the codes reach that the node multiplies with its weights; nullopt: it computes on
  // floats, or on 16 bits.
  std::optional<DataReach> data_of(const NodePlan& plan, const Node& node) const {
    const auto read = node.input(0) != nullptr ? read_.find(node.input(0)->name()) : read_.end();
    if (read == read_.end())
      return options_.data_quantized_later ? std::optional(DataReach{}) : std::nullopt;
    const QParams& params = read->second->params;
    if (plan.raised || is_wide(params.type)) return std::nullopt;
    return reach_of(params);
  }

  void guard_sums(NodePlan& plan) {
    const Node& node = *graph_.find(plan.output)->producer();
    const auto data = plan.quantized ? data_of(plan, node) : std::nullopt;
    for (ConstantPlan& weight : plan.constants) {
      if (!data || weight.input != 1 || !weight.group.empty()) continue;
      SumBias bias;
      if (plan.bias) bias = {&graph_.find(plan.bias->name)->constant(), input_scale(plan, node)};
      const RaisedSums raised = avoid_overflow(node, graph_.find(weight.name)->constant(),
                                               weight.scheme, *data, bias, weight.params);
      weight.raised += raised.scales;
      if (raised.scales > 0)
        warn(fmt::format(
            "{}: sums of {} products would leave int32: {} weight scale(s) raised, up "
            "to {:.2f} times{}",
            node.label(), raised.products, raised.scales, raised.factor,
            raised.factor > 4 ? "; leave it float with `exclude` if that is too coarse" : ""));
    }
  }

  void choose_bias(NodePlan& node, const Node& in_graph) {
    const Tensor& bias = graph_.find(node.bias->name)->constant();
    ranges_of(bias, std::nullopt);  // refuses NaN and infinity
    node.bias->params =
        quantize_bias(bias, input_scale(node, in_graph), node.constants.front().params).params;
  }

  Plan& plan_;
  const Graph& graph_;
  const Observations& observations_;
  const SelectOptions& options_;
  const std::unordered_set<std::string> scores_;
  const std::map<std::string, std::string> states_;  // state inputs that were zero: what feeds them
  std::unordered_map<std::string, Range> groups_;
  std::unordered_map<std::string, const ActivationPlan*> read_;
};

}  // namespace

void select(Plan& plan, const Graph& graph, const Observations& observations,
            const SelectOptions& options) {
  Selecting(plan, graph, observations, options).run();
}

}  // namespace intaglio
