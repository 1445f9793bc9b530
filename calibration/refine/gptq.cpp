#include "calibration/refine/gptq.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "calibration/refine/gptq_row.h"
#include "calibration/refine/layer.h"
#include "lib/base/parallel.h"
#include "lib/graph/op_traits.h"
#include "lib/quant/array.h"

namespace intaglio {
namespace {

constexpr std::size_t least_rows = 1024,
                      most_rows = 4096;  // patches, or the width when that is more
constexpr std::size_t rows_at_once = 1024;

std::size_t rows_for(std::size_t width) {
  return std::clamp(4 * width, least_rows, std::max(width, most_rows));
}

class Rounding {
 public:
  Rounding(Lockstep& pair, std::size_t step, const Layer& layer, ConstantPlan& plan)
      : pair_(pair),
        input_(pair.step(step).inputs.at(0)),
        layer_(layer),
        plan_(plan),
        codes_(static_cast<std::size_t>(layer.weights->constant().size())),
        errors_(layer.groups, {0, 0}) {}

  // Groups side by side when there are some, else threads within the only one.
  void run() {
    const std::size_t groups = layer_.groups;
    const std::size_t outside = groups > 1 ? pair_.threads() : 1;
    const std::size_t inside = groups > 1 ? 1 : pair_.threads();
    parallel_for(groups, outside, [&](std::size_t, std::size_t g) { round(g, inside); });
  }

  Tensor codes() const {
    Tensor wide(DType::s32, layer_.weights->constant().shape());
    std::copy(codes_.begin(), codes_.end(), wide.mutate<std::int32_t>().begin());
    return convert(wide, plan_.scheme.type);
  }

  // |X e|^2 with these codes over that with the nearest; 1 when nothing was off.
  double error_ratio() const {
    double nearest = 0, error = 0;
    for (const auto& [before, after] : errors_) nearest += before, error += after;
    return nearest > 0 ? error / nearest : 1;
  }

 private:
  SecondMoments moments(std::size_t group, std::size_t threads) {
    const std::size_t width = layer_.inputs_per_group() * layer_.kernel;
    const std::size_t each = (rows_for(width) + pair_.samples() - 1) / pair_.samples();
    MomentSums sums(width);
    Patches some{width, {}};
    for (std::size_t i = 0; i < pair_.samples(); ++i) {
      add_patches(layer_, group, pair_.twin(i, input_), each, some);
      if (some.rows() < rows_at_once && i + 1 < pair_.samples()) continue;
      sums.add(some, threads);
      some.values.clear();
    }
    return std::move(sums).centred();
  }

  void round(std::size_t group, std::size_t threads) {
    const Factor factor(moments(group, threads), threads);
    const std::size_t n = layer_.outputs_per_group();
    std::vector<RoundedCodes> rows(n);
    parallel_for(n, threads, [&](std::size_t, std::size_t i) {
      rows[i] = round_output(factor, group * n + i);
    });
    for (const RoundedCodes& row : rows) {
      errors_[group].first += row.nearest;
      errors_[group].second += row.error;
    }
  }

  RoundedCodes round_output(const Factor& factor, std::size_t output) {
    const auto w = layer_.weights->constant().data<float>();
    std::vector<float> weights;
    for (std::size_t i = 0; i < layer_.inputs_per_group(); ++i)
      for (std::size_t k = 0; k < layer_.kernel; ++k)
        weights.push_back(w[layer_.index(output, i, k)]);
    const std::size_t channel = output % plan_.params.scale.size();
    RoundedCodes row =
        round_row(factor, {weights, plan_.params.scale[channel], plan_.params.zero_point[channel]},
                  levels_of(plan_.scheme));
    for (std::size_t i = 0; i < layer_.inputs_per_group(); ++i)
      for (std::size_t k = 0; k < layer_.kernel; ++k)
        codes_[layer_.index(output, i, k)] = row.codes[i * layer_.kernel + k];
    return row;
  }

  Lockstep& pair_;
  int input_;
  Layer layer_;
  const ConstantPlan& plan_;
  std::vector<std::int32_t> codes_;
  std::vector<std::pair<double, double>> errors_;  // nearest, chosen; by group
};

bool multiplies_weights(const Node& node) { return traits_of(node).weights == WeightKind::product; }

// Why the weights keep their nearest codes; empty: they need not.
std::string refusal(const std::optional<Layer>& layer, const ConstantPlan& plan) {
  if (!layer) return "its weights or bias serve other nodes too, or are no plain product";
  const std::size_t scales = plan.params.scale.size();
  if (scales != 1 && scales != layer->outputs && scales != layer->outputs_per_group())
    return "its scales are not those of output channels";
  return {};
}

}  // namespace

void round_weights(Lockstep& pair, std::size_t step, NodePlan& node, WeightRounding& result) {
  const Node& of = *pair.step(step).node;
  if (!node.quantized || !multiplies_weights(of)) return;
  const auto layer = layer_of(of);
  for (ConstantPlan& plan : node.constants) {
    if (plan.input != 1) continue;
    if (const std::string why = refusal(layer, plan); !why.empty()) {
      result.left_out.push_back(fmt::format("{}: {}", of.label(), why));
      continue;
    }
    Rounding rounding(pair, step, *layer, plan);
    rounding.run();
    plan.codes = rounding.codes();
    pair.replace(step, plan.input, dequantize(plan.codes, plan.params));
    const auto layers = static_cast<double>(result.layers++);
    result.error_ratio = std::exp(
        (std::log(result.error_ratio) * layers + std::log(rounding.error_ratio())) / (layers + 1));
  }
}

void apply_codes(Model& model, const Plan& plan) {
  for (const NodePlan& node : plan.nodes)
    for (const ConstantPlan& constant : node.constants) {
      if (!constant.codes.defined()) continue;
      Value* value = model.graph().find(constant.name);
      if (value == nullptr || !value->is_constant() ||
          value->constant().shape() != constant.codes.shape() ||
          !fits(constant.params, constant.codes.shape()))
        throw Error(Code::config,
                    fmt::format("the plan has codes for '{}', which do not fit", constant.name),
                    "Use the model that the plan was made for.");
      value->set_constant(dequantize(constant.codes, constant.params));
    }
}

}  // namespace intaglio
