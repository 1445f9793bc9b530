#include "calibration/refine/channel_groups.h"

#include <algorithm>
#include <set>

#include "calibration/refine/attention.h"
#include "calibration/refine/carrier.h"
#include "calibration/refine/channel_ties.h"
#include "calibration/refine/gate.h"
#include "lib/graph/op_traits.h"

namespace intaglio {
namespace {

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
    for (const Value* value : graph_.feeds()) ties_.block(value);
    for (const Node* node : graph_.nodes()) take(*node);
    for (const Value* value : graph_.values())
      if (value->is_output()) ties_.block(value);
    return collect();
  }

 private:
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
      if (ties_.known(node.output(0))) clips_.push_back(&node);
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
    if (!ties_.fits_axis(input, layer.axis, layer.inputs) || !undoes(layer)) ties_.block(input);
    if (ties_.known(input)) readers_.push_back(layer);
    ChannelTies::Entry& e = ties_.enter(node.output(0), layer.axis, layer.outputs);
    for (std::size_t& c : e.channels) c = ties_.new_channel();
    if (change_ == Change::shift && layer.bias == nullptr) ties_.block(node.output(0));
  }

  void take_carrier(const Node& node, const Carrier& carrier) {
    if (const ChannelTies::Entry* data = ties_.known(carrier.data);
        data != nullptr && data->heads >= 0)
      return block_all(node);
    if (!carrier.makes) {
      same(node, {carrier.data});
    } else {
      block_all(node);
      const std::size_t channels = carrier.channels != 0 ? carrier.channels : channels_read(node);
      if (channels == 0) return;
      for (std::size_t& c : ties_.enter(node.output(0), carrier.axis, channels).channels)
        c = ties_.new_channel();
    }
    if (ties_.known(node.output(0))) carried_.push_back(node.output(0));
  }

  // False: not such a node.
  bool take_attention(const Node& node) {
    const bool weighs = node.is("MatMul");
    const ChannelTies::Entry* from = ties_.known(node.input(weighs ? 1 : 0));
    if (from == nullptr) return false;
    const ChannelTies::Entry of = *from;
    const auto axes = through_attention(node, {of.axis, of.heads}, of.channels.size());
    if (!axes) return false;
    if (weighs) ties_.block(node.input(0));
    ChannelTies::Entry& out = ties_.enter(node.output(0), axes->axis, of.channels.size());
    out.channels = of.channels;
    out.heads = axes->heads;
    ties_.tie_values(of.set, out.set);
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
    const ChannelTies::Entry* first = ties_.known(inputs.front());
    const bool alike =
        first != nullptr && std::all_of(inputs.begin(), inputs.end(), [&](const Value* v) {
          return v->rank() == inputs.front()->rank() && first->heads < 0 &&
                 ties_.fits_axis(v, first->axis, first->channels.size());
        });
    if (!alike) return block_all(node);
    const ChannelTies::Entry of = *first;
    for (const Value* input : inputs) {
      const ChannelTies::Entry& e = *ties_.known(input);
      ties_.tie_values(of.set, e.set);
      if (scales())
        for (std::size_t c = 0; c < of.channels.size(); ++c)
          ties_.tie_channels(of.channels[c], e.channels[c]);
    }
    ChannelTies::Entry& out = ties_.enter(node.output(0), of.axis, of.channels.size());
    out.channels = of.channels;
    ties_.tie_values(of.set, out.set);
  }

  void joined(const Node& node, const std::vector<const Value*>& inputs) {
    const ChannelTies::Entry* first = ties_.known(inputs.front());
    const auto rank = static_cast<std::int64_t>(inputs.front()->rank());
    const std::int64_t axis = node.attr_int("axis");
    const bool alike =
        first != nullptr && std::all_of(inputs.begin(), inputs.end(), [&](const Value* v) {
          const ChannelTies::Entry* e = ties_.known(v);
          return e != nullptr && e->heads < 0 && e->axis == (axis < 0 ? axis + rank : axis);
        });
    if (!alike) return block_all(node);
    std::vector<std::size_t> channels;
    for (const Value* input : inputs)
      channels.insert(channels.end(), ties_.known(input)->channels.begin(),
                      ties_.known(input)->channels.end());
    ChannelTies::Entry& out =
        ties_.enter(node.output(0), ties_.known(inputs.front())->axis, channels.size());
    out.channels = std::move(channels);
    for (const Value* input : inputs) ties_.tie_values(out.set, ties_.known(input)->set);
  }

  // --- Values ---

  std::vector<const Value*> float_inputs(const Node& node) const {
    std::vector<const Value*> inputs;
    for (const Value* v : node.inputs())
      if (v != nullptr && !v->is_constant()) inputs.push_back(v);
    return inputs;
  }

  void block_all(const Node& node) {
    for (const Value* v : node.inputs()) ties_.block(v);
    if (node.nested_graphs().empty()) return;
    for (const Value* v : ties_.values())
      for (const Use& use : v->uses())
        if (&use.node->graph() != &graph_) ties_.block(v);
  }

  // --- The result ---

  std::vector<ChannelGroup> collect() {
    TiedGroups tied = ties_.groups();
    for (const Layer& layer : readers_)
      if (ChannelGroup* group = tied.of(layer.node->input(0))) group->readers.push_back(layer);
    for (const Node* clip : clips_)
      if (ChannelGroup* group = tied.of(clip->output(0))) group->clips.push_back(clip);
    for (const Node* gate : gates_)
      if (ChannelGroup* group = tied.of(gate->input(0))) group->gates.push_back(gate);
    std::set<const ChannelGroup*> carried;
    for (const Value* value : carried_) carried.insert(tied.of(value));
    if (change_ == Change::carried)
      for (ChannelGroup& group : tied.groups)
        if (!carried.contains(&group)) group.readers.clear();
    std::erase_if(tied.groups, [](const ChannelGroup& g) { return g.readers.empty(); });
    return std::move(tied.groups);
  }

  const Graph& graph_;
  Change change_;
  ChannelTies ties_;
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
