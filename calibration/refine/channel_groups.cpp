#include "calibration/refine/channel_groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "calibration/refine/attention.h"
#include "calibration/refine/carrier.h"
#include "calibration/refine/gate.h"
#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

// Disjoint sets.
class Sets {
 public:
  std::size_t add() {
    parents_.push_back(parents_.size());
    return parents_.size() - 1;
  }
  std::size_t find(std::size_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parents_[find(b)] = find(a); }

 private:
  std::vector<std::size_t> parents_;
};

enum class Change { scale, shift, carried };

bool no_padding(const Node& pool) {
  const auto pads = pool.attr_ints("pads");
  return !pool.attr_string("auto_pad", "NOTSET").starts_with("SAME") &&
         std::all_of(pads.begin(), pads.end(), [](std::int64_t p) { return p == 0; });
}

// One input, one result, each channel by itself.
bool passes(const Node& node, Change change) {
  // Pools mix the last axis, along which carriers have their channels.
  if (change == Change::carried && node.op().ends_with("Pool")) return false;
  switch (traits_of(node).channels) {
    case ChannelChange::none:
      return false;
    case ChannelChange::scale:
      return change != Change::shift;
    case ChannelChange::unpadded_shift:
      return change != Change::shift || no_padding(node);
    case ChannelChange::scale_and_shift:
      return node.output(1) == nullptr;
  }
  return false;
}

bool is_bound(const Value* value) { return value == nullptr || value->is_constant(); }

class Grouping {
 public:
  Grouping(const Graph& graph, Change change) : graph_(graph), change_(change) {}

  std::vector<ChannelGroup> run() {
    for (const Value* value : graph_.feeds()) block(value);
    for (const Node* node : graph_.nodes()) take(*node);
    for (const Value* value : graph_.values())
      if (value->is_output()) block(value);
    return collect();
  }

 private:
  struct Entry {
    std::size_t set = 0;  // of values_
    int axis = 1;
    // Heads: channels lie along this axis and, inside each of its places, along the other. -1:
    // none.
    int heads = -1;
    std::vector<std::size_t> channels;  // of channels_
    bool made_by_layer = false;
  };

  bool scales() const { return change_ != Change::shift; }
  // Whether the layer, as a reader, can take the change back.
  bool undoes(const Layer& layer) const {
    if (change_ == Change::shift) return !layer.padded && layer.bias != nullptr;
    return change_ == Change::scale || layer.node->is("MatMul") || layer.node->is("Gemm");
  }

  // --- What an operator ties ---

  void take(const Node& node) {
    if (node.output(0) == nullptr) return block_all(node);  // others hold what it makes
    if (const auto layer = layer_of(node)) return take_layer(*layer);
    if (change_ == Change::carried) {
      if (const auto carrier = carrier_of(node)) return take_carrier(node, *carrier);
      if (take_attention(node)) return;
    }
    if (change_ == Change::scale) {
      if (gated_by(node) != nullptr) return gates_.push_back(&node);
      if (const Value* x = gated(node)) return same(node, {x});
    }
    const auto inputs = float_inputs(node);
    if (passes(node, change_) && inputs.size() == 1) return same(node, {inputs[0]});
    if (scales() && node.is("Clip") && is_bound(node.input(1)) && is_bound(node.input(2)) &&
        inputs.size() == 1) {
      same(node, {inputs[0]});
      if (known(node.output(0))) clips_.push_back(&node);
      return;
    }
    if (traits_of(node).sums && !inputs.empty() && inputs.size() == node.inputs().size())
      return same(node, inputs);
    if (node.is("Concat") && inputs.size() == node.inputs().size()) return joined(node, inputs);
    block_all(node);
  }

  void take_layer(const Layer& layer) {
    const Node& node = *layer.node;
    const Value* input = node.input(0);
    if (!fits_axis(input, layer.axis, layer.inputs) || !undoes(layer)) block(input);
    if (known(input)) readers_.push_back(layer);
    Entry& e = enter(node.output(0), layer.axis, layer.outputs);
    e.made_by_layer = true;
    for (std::size_t& c : e.channels) c = channels_.add();
    if (change_ == Change::shift && layer.bias == nullptr) block(node.output(0));
  }

  void take_carrier(const Node& node, const Carrier& carrier) {
    if (const Entry* data = known(carrier.data); data != nullptr && data->heads >= 0)
      return block_all(node);
    if (!carrier.makes) {
      same(node, {carrier.data});
    } else {
      block_all(node);
      const std::size_t channels = carrier.channels != 0 ? carrier.channels : channels_read(node);
      if (channels == 0) return;
      for (std::size_t& c : enter(node.output(0), carrier.axis, channels).channels)
        c = channels_.add();
    }
    if (known(node.output(0))) carried_.push_back(node.output(0));
  }

  // False: not such a node.
  bool take_attention(const Node& node) {
    const bool weighs = node.is("MatMul");
    const Entry* from = known(node.input(weighs ? 1 : 0));
    if (from == nullptr) return false;
    const Entry of = *from;
    const auto axes = through_attention(node, {of.axis, of.heads}, of.channels.size());
    if (!axes) return false;
    if (weighs) block(node.input(0));
    Entry& out = enter(node.output(0), axes->axis, of.channels.size());
    out.channels = of.channels;
    out.heads = axes->heads;
    values_.join(of.set, out.set);
    return true;
  }

  // How many channels the first layer reads that reads the result; 0: none does.
  static std::size_t channels_read(const Node& node) {
    for (const Use& use : node.output(0)->uses())
      if (const auto layer = layer_of(*use.node); layer && use.index == 0) return layer->inputs;
    return 0;
  }

  // Results and inputs have the same channels.
  void same(const Node& node, const std::vector<const Value*>& inputs) {
    const Entry* first = known(inputs.front());
    const bool alike =
        first != nullptr && std::all_of(inputs.begin(), inputs.end(), [&](const Value* v) {
          return v->rank() == inputs.front()->rank() && first->heads < 0 &&
                 fits_axis(v, first->axis, first->channels.size());
        });
    if (!alike) return block_all(node);
    const Entry of = *first;
    for (const Value* input : inputs) {
      const Entry& e = *known(input);
      values_.join(of.set, e.set);
      if (scales())
        for (std::size_t c = 0; c < of.channels.size(); ++c)
          channels_.join(of.channels[c], e.channels[c]);
    }
    Entry& out = enter(node.output(0), of.axis, of.channels.size());
    out.channels = of.channels;
    values_.join(of.set, out.set);
  }

  void joined(const Node& node, const std::vector<const Value*>& inputs) {
    const Entry* first = known(inputs.front());
    const auto rank = static_cast<std::int64_t>(inputs.front()->rank());
    const std::int64_t axis = node.attr_int("axis");
    const bool alike =
        first != nullptr && std::all_of(inputs.begin(), inputs.end(), [&](const Value* v) {
          const Entry* e = known(v);
          return e != nullptr && e->heads < 0 && e->axis == (axis < 0 ? axis + rank : axis);
        });
    if (!alike) return block_all(node);
    std::vector<std::size_t> channels;
    for (const Value* input : inputs)
      channels.insert(channels.end(), known(input)->channels.begin(), known(input)->channels.end());
    Entry& out = enter(node.output(0), known(inputs.front())->axis, channels.size());
    out.channels = std::move(channels);
    for (const Value* input : inputs) values_.join(out.set, known(input)->set);
  }

  // --- Values ---

  std::vector<const Value*> float_inputs(const Node& node) const {
    std::vector<const Value*> inputs;
    for (const Value* v : node.inputs())
      if (v != nullptr && !v->is_constant()) inputs.push_back(v);
    return inputs;
  }

  Entry* known(const Value* value) {
    const auto it = entries_.find(value);
    return it == entries_.end() ? nullptr : &it->second;
  }

  bool fits_axis(const Value* value, int axis, std::size_t channels) {
    const Entry* e = known(value);
    return e != nullptr && e->axis == axis && e->heads < 0 && e->channels.size() == channels;
  }

  Entry& enter(const Value* value, int axis, std::size_t channels) {
    Entry& e = entries_[value];
    e.set = values_.add();
    blocked_.push_back(false);
    order_.push_back(value);
    e.axis = axis;
    e.channels.resize(channels);
    return e;
  }

  void block(const Value* value) {
    if (const Entry* e = known(value)) blocked_[e->set] = true;
  }

  void block_all(const Node& node) {
    for (const Value* v : node.inputs()) block(v);
    if (node.nested_graphs().empty()) return;
    for (const Value* v : order_)
      for (const Use& use : v->uses())
        if (&use.node->graph() != &graph_) block(v);
  }

  // --- The result ---

  std::vector<ChannelGroup> collect() {
    std::set<std::size_t> bad;
    for (std::size_t i = 0; i < blocked_.size(); ++i)
      if (blocked_[i]) bad.insert(values_.find(i));
    std::map<std::size_t, std::size_t> numbers;  // of groups, by set
    std::vector<ChannelGroup> groups;
    std::vector<std::unordered_map<std::size_t, std::size_t>> widths;
    const auto group_of = [&](const Value* value) -> ChannelGroup* {
      const Entry* e = known(value);
      if (e == nullptr || bad.contains(values_.find(e->set))) return nullptr;
      const auto [it, fresh] = numbers.try_emplace(values_.find(e->set), groups.size());
      if (fresh) groups.emplace_back(), widths.emplace_back();
      return &groups[it->second];
    };
    for (const Value* value : order_) {
      ChannelGroup* group = group_of(value);
      if (group == nullptr || known(value)->heads >= 0) continue;
      auto& width = widths[static_cast<std::size_t>(group - groups.data())];
      const Entry& e = *known(value);
      GroupValue member{value, e.axis, {}};
      for (const std::size_t c : e.channels)
        member.channels.push_back(width.try_emplace(channels_.find(c), width.size()).first->second);
      group->width = width.size();
      group->values.push_back(std::move(member));
    }
    for (const Layer& layer : readers_)
      if (ChannelGroup* group = group_of(layer.node->input(0))) group->readers.push_back(layer);
    for (const Node* clip : clips_)
      if (ChannelGroup* group = group_of(clip->output(0))) group->clips.push_back(clip);
    for (const Node* gate : gates_)
      if (ChannelGroup* group = group_of(gate->input(0))) group->gates.push_back(gate);
    std::set<const ChannelGroup*> carried;
    for (const Value* value : carried_) carried.insert(group_of(value));
    if (change_ == Change::carried)
      for (ChannelGroup& group : groups)
        if (!carried.contains(&group)) group.readers.clear();
    std::erase_if(groups, [](const ChannelGroup& g) { return g.readers.empty(); });
    return groups;
  }

  const Graph& graph_;
  Change change_;
  Sets values_, channels_;
  std::unordered_map<const Value*, Entry> entries_;
  std::vector<const Value*> order_;
  std::vector<bool> blocked_;  // by element of values_
  std::vector<Layer> readers_;
  std::vector<const Node*> clips_, gates_;
  std::vector<const Value*> carried_;  // what carriers make
};

}  // namespace

std::vector<ChannelGroup> scalable_groups(const Graph& graph) {
  return Grouping(graph, Change::scale).run();
}

std::vector<ChannelGroup> carried_groups(const Graph& graph) {
  return Grouping(graph, Change::carried).run();
}

std::vector<ChannelGroup> shiftable_groups(const Graph& graph) {
  return Grouping(graph, Change::shift).run();
}

}  // namespace intaglio
