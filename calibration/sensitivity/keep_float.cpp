#include "calibration/sensitivity/keep_float.h"

#include <algorithm>
#include <set>

namespace intaglio {
namespace {

class KeepOrder {
 public:
  KeepOrder(const Sensitivity& s, KeepCost cost, KeepAs as, std::size_t most)
      : s_(s), floats_(as == KeepAs::floats), most_(std::min(most, s.layers.size())) {
    for (const LayerSensitivity& l : s.layers) costs_.push_back(cost_of(l, cost));
    for (const double c : costs_) total_ += c;
    around_.resize(s.layers.size());
    for (std::size_t v = 0; v < s.values.size(); ++v)
      for (const std::size_t l : s.values[v].layers) around_[l].push_back(v);
    all_ = noise_left({});
  }

  std::vector<KeepSet> run() {
    std::vector<KeepSet> sets = {{{}, 0, 1}};
    std::set<std::size_t> kept;
    while (kept.size() < most_) {
      const std::vector<std::size_t> move = best_move(kept);
      kept.insert(move.begin(), move.end());
      KeepSet set{{kept.begin(), kept.end()}, 0, all_ > 0 ? noise_left(kept) / all_ : 0};
      for (const std::size_t l : kept) set.cost += costs_[l] / total_;
      sets.push_back(std::move(set));
    }
    return sets;
  }

 private:
  using Layers = std::set<std::size_t>;

  // A hundredth of the mean is added, so that a layer without products is cheap but not free.
  double cost_of(const LayerSensitivity& l, KeepCost cost) const {
    if (cost == KeepCost::layers) return 1;
    const auto plain = [&](const LayerSensitivity& layer) {
      return cost == KeepCost::macs ? layer.macs : static_cast<double>(layer.weights);
    };
    double sum = 0;
    for (const LayerSensitivity& other : s_.layers) sum += plain(other);
    return plain(l) + std::max(sum, 1.0) / (100 * static_cast<double>(s_.layers.size()));
  }

  bool gone(std::size_t value, const Layers& kept) const {
    return std::ranges::all_of(s_.values[value].layers,
                               [&](std::size_t l) { return kept.contains(l); });
  }

  double noise_left(const Layers& kept) const {
    double sum = 0;
    for (std::size_t l = 0; l < s_.layers.size(); ++l)
      if (!floats_ || !kept.contains(l)) sum += s_.layers[l].weights_alone.relative();
    for (std::size_t v = 0; v < s_.values.size(); ++v)
      if (!gone(v, kept)) sum += s_.values_alone[v].relative();
    return sum;
  }

  // Noise that goes when these join the kept ones.
  double gain(const std::vector<std::size_t>& move, const Layers& kept) const {
    Layers with = kept;
    with.insert(move.begin(), move.end());
    double sum = 0;
    std::set<std::size_t> touched;
    for (const std::size_t l : move) {
      if (floats_) sum += s_.layers[l].weights_alone.relative();
      touched.insert(around_[l].begin(), around_[l].end());
    }
    for (const std::size_t v : touched)
      if (gone(v, with)) sum += s_.values_alone[v].relative();
    return sum;
  }

  std::vector<std::size_t> best_move(const Layers& kept) const {
    std::vector<std::size_t> best;
    double most = -1;
    const auto consider = [&](std::vector<std::size_t> move) {
      std::erase_if(move, [&](std::size_t l) { return kept.contains(l); });
      if (move.empty() || kept.size() + move.size() > most_) return;
      double cost = 0;
      for (const std::size_t l : move) cost += costs_[l];
      const double rate = gain(move, kept) / cost;
      if (rate > most) most = rate, best = std::move(move);
    };
    for (std::size_t l = 0; l < s_.layers.size(); ++l) consider({l});
    for (const TiedValues& tied : s_.values) consider(tied.layers);
    return best;
  }

  const Sensitivity& s_;
  const bool floats_;
  const std::size_t most_;
  std::vector<double> costs_;
  std::vector<std::vector<std::size_t>> around_;  // values by layer
  double total_ = 0, all_ = 0;
};

}  // namespace

std::vector<KeepSet> keep_order(const Sensitivity& sensitivity, KeepCost cost, KeepAs as,
                                std::size_t most) {
  return KeepOrder(sensitivity, cost, as, most).run();
}

}  // namespace intaglio
