#include "calibration/refine/equalization.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "calibration/refine/gate.h"
#include "lib/quant/scheme.h"

namespace intaglio {
namespace {

constexpr std::array<double, 5> exponents = {0, 0.25, 0.5, 0.75, 1};
constexpr double headroom = 1.25;              // of a Clip, for samples that were not measured
constexpr double smallest_share = 1.0 / 1024;  // of the range, that a channel is taken for at least

// A layer that reads a group, as its noise depends on the scales.
class Reader {
 public:
  Reader(const Layer& layer, const ChannelStatistics& x, const Scheme& input, const Scheme& weights,
         double weight_noise)
      : x_(x), input_(input), weights_(weights), layer_(layer), weight_noise_(weight_noise) {
    largest_.resize(layer.outputs * layer.inputs_per_group());
    squares_.resize(layer.inputs);
    const auto w = layer.weights->constant().data<float>();
    for (std::size_t o = 0; o < layer.outputs; ++o)
      for (std::size_t i = 0; i < layer.inputs_per_group(); ++i)
        for (std::size_t k = 0; k < layer.kernel; ++k) {
          const double v = std::abs(static_cast<double>(w[layer.index(o, i, k)]));
          double& most = largest_[o * layer.inputs_per_group() + i];
          most = std::max(most, v);
          squares_[input_of(o, i)] += v * v;
        }
  }

  // s: by channel of the input.
  double noise(const std::vector<double>& s) const {
    double lo = 0, hi = 0, behind = 0;
    for (std::size_t c = 0; c < s.size(); ++c) {
      lo = std::min(lo, s[c] * x_.usual_min(c));
      hi = std::max(hi, s[c] * x_.usual_max(c));
      behind += squares_[c] / (s[c] * s[c]);
    }
    const double range = input_.symmetric ? 2 * std::max(-lo, hi) : hi - lo;
    return square(range / levels_of(input_).steps()) * behind + weight_noise_ * noise_of_weights(s);
  }

 private:
  static double square(double v) { return v * v; }
  std::size_t input_of(std::size_t o, std::size_t i) const {
    return layer_.group_of(o) * layer_.inputs_per_group() + i;
  }

  double noise_of_weights(const std::vector<double>& s) const {
    const std::size_t n = layer_.inputs_per_group();
    std::vector<double> rows(layer_.outputs), energies(layer_.outputs);
    for (std::size_t o = 0; o < layer_.outputs; ++o)
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t c = input_of(o, i);
        rows[o] = std::max(rows[o], largest_[o * n + i] / s[c]);
        energies[o] += s[c] * s[c] * x_.mean_square(c);
      }
    if (!weights_.axis)
      std::fill(rows.begin(), rows.end(), *std::max_element(rows.begin(), rows.end()));
    double noise = 0;
    for (std::size_t o = 0; o < layer_.outputs; ++o)
      noise += square(2 * rows[o] / levels_of(weights_).steps()) * energies[o] *
               static_cast<double>(layer_.kernel);
    return noise;
  }

  const ChannelStatistics& x_;
  Scheme input_, weights_;
  Layer layer_;
  double weight_noise_;
  std::vector<double> largest_;  // |w| by output and input
  std::vector<double> squares_;  // of all weights by input
};

class Group {
 public:
  Group(const ChannelGroup& group, const ChannelMeasurements& measured, const Plan& plan,
        const NoiseModel& model)
      : group_(group), model_(model), shares_(group.width, 0) {
    for (const GroupValue& member : group.values)
      if (const auto it = measured.find(member.value->name()); it != measured.end())
        see(member, it->second);
    for (const Node* clip : group.clips) limit(*clip, measured);
    for (const Layer& layer : group.readers) read(layer, measured, plan);
  }

  GroupEqualization choose(std::vector<ChannelPlan>& channels) const {
    GroupEqualization result{group_.values.front().value->name(), group_.width};
    if (readers_.empty()) return result;
    const double before = noise(scales(0));
    double least = (group_.gates.empty() ? model_.worthwhile : model_.gated) * before;
    for (const double alpha : exponents)
      if (const double n = noise(scales(alpha)); n < least) least = n, result.alpha = alpha;
    if (result.alpha == 0) return result;
    result.noise_ratio = least / before;
    result.gates = group_.gates.size();
    const std::vector<double> s = scales(result.alpha);
    for (const GroupValue& member : group_.values) {
      ChannelPlan plan{member.value->name(), {}, {}};
      for (const std::size_t c : member.channels) plan.scale.push_back(static_cast<float>(s[c]));
      channels.push_back(std::move(plan));
    }
    return result;
  }

 private:
  void see(const GroupValue& member, const ChannelStatistics& s) {
    const bool gated = std::ranges::any_of(
        group_.gates, [&](const Node* g) { return g->input(0) == member.value; });
    std::vector<double> ranges;
    for (std::size_t c = 0; c < s.channels(); ++c) {
      const double least = s.usual_min(c);
      const double lo = gated ? std::max(least, static_cast<double>(least_gated)) : least;
      ranges.push_back(std::max(s.usual_max(c), 0.0) - std::min(lo, 0.0));
    }
    const double widest = *std::max_element(ranges.begin(), ranges.end());
    if (!(widest > 0) || !std::isfinite(widest)) return;
    for (std::size_t c = 0; c < ranges.size(); ++c)
      shares_[member.channels[c]] = std::max(shares_[member.channels[c]], ranges[c] / widest);
  }

  // What a Clip cuts off must stay what it was: s x within the bounds for every x that passed it.
  void limit(const Node& clip, const ChannelMeasurements& measured) {
    if (limits_.empty()) limits_.assign(group_.width, std::numeric_limits<double>::infinity());
    const auto bound = [&](std::size_t i, double otherwise) {
      return clip.input(i) == nullptr
                 ? otherwise
                 : static_cast<double>(clip.input(i)->constant().item<float>());
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double lo = bound(1, -infinity), hi = bound(2, infinity);
    const auto it = measured.find(clip.output(0)->name());
    const auto member =
        std::find_if(group_.values.begin(), group_.values.end(),
                     [&](const GroupValue& v) { return v.value == clip.output(0); });
    for (std::size_t c = 0; c < member->channels.size(); ++c) {
      double& most = limits_[member->channels[c]];
      if (it == measured.end() || lo > 0 || hi < 0) {
        most = 1;
        continue;
      }
      const double top = static_cast<double>(it->second.max[c]),
                   bottom = static_cast<double>(it->second.min[c]);
      if (top > 0) most = std::min(most, std::max(hi / (headroom * top), 1.0));
      if (bottom < 0) most = std::min(most, std::max(lo / (headroom * bottom), 1.0));
    }
  }

  void read(const Layer& layer, const ChannelMeasurements& measured, const Plan& plan) {
    const Value* input = layer.node->input(0);
    const auto x = measured.find(input->name());
    const ActivationPlan* activation = plan.find(input->name());
    const auto node = std::find_if(plan.nodes.begin(), plan.nodes.end(), [&](const NodePlan& n) {
      return layer.node->output(0) != nullptr && n.output == layer.node->output(0)->name();
    });
    if (x == measured.end() || activation == nullptr || node == plan.nodes.end()) return;
    const auto member = std::find_if(group_.values.begin(), group_.values.end(),
                                     [&](const GroupValue& v) { return v.value == input; });
    for (const ConstantPlan& c : node->constants)
      if (c.input == 1)
        readers_.emplace_back(
            Reader(layer, x->second, activation->scheme, c.scheme, model_.weights), &*member);
  }

  // By channel of the group.
  std::vector<double> scales(double alpha) const {
    std::vector<double> s;
    for (const double share : shares_)
      s.push_back(share > 0 ? std::pow(std::max(share, smallest_share), -alpha) : 1.0);
    if (limits_.empty()) return s;
    const double least = *std::min_element(s.begin(), s.end());
    for (std::size_t c = 0; c < s.size(); ++c) s[c] = std::min(s[c] / least, limits_[c]);
    return s;
  }

  double noise(const std::vector<double>& s) const {
    double sum = 0;
    for (const auto& [reader, member] : readers_) {
      std::vector<double> own;
      for (const std::size_t c : member->channels) own.push_back(s[c]);
      sum += reader.noise(own);
    }
    return sum;
  }

  const ChannelGroup& group_;
  NoiseModel model_;
  std::vector<double> shares_;  // of the widest channel's range, the largest over the values
  std::vector<double> limits_;  // of the scales; empty: none
  std::vector<std::pair<Reader, const GroupValue*>> readers_;
};

}  // namespace

Equalization choose_scales(const std::vector<ChannelGroup>& groups,
                           const ChannelMeasurements& measured, const Plan& plan,
                           const NoiseModel& model) {
  Equalization result;
  for (const ChannelGroup& group : groups)
    result.groups.push_back(Group(group, measured, plan, model).choose(result.channels));
  return result;
}

}  // namespace intaglio
