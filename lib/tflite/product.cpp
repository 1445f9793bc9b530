#include "lib/tflite/product.h"

#include <fmt/format.h>

#include <cmath>

#include "lib/quant/array.h"

namespace intaglio::tflite {
namespace {

QParams bias_params(const Site& site, const Weights& weights) {
  QParams params{DType::s32, std::nullopt, {}, {}};
  for (const float scale : weights.params->scale)
    params.scale.push_back(site.in_params(0).scale.front() * scale);
  params.zero_point.assign(params.scale.size(), 0);
  if (params.scale.size() > 1) params.axis = 0;
  return params;
}

// The node that an int32 bias comes from; null: it is float.
const Node* integer_maker(const Site& site, std::size_t input) {
  const Node* maker = site.in_end(input).value->producer();
  const bool integer = maker != nullptr && maker->is("DequantizeLinear") &&
                       maker->input(0)->is_constant() && maker->input(0)->dtype() == DType::s32;
  return integer ? maker : nullptr;
}

// LiteRT takes a bias whose unit is off by a millionth.
void require_units(const Site& site, const Node& maker, const QParams& expected) {
  const auto scales = maker.input(1)->constant().to_vector<float>();
  for (std::size_t i = 0; i < expected.scale.size(); ++i) {
    const double unit = scales.size() == 1 ? scales.front() : scales.at(i);
    if (std::abs(unit / expected.scale[i] - 1) > 1e-6)
      site.refuse("the scale of its bias is not that of input times weight",
                  "Leave the bias float, or quantize with `target` tflite-like.");
  }
}

Tensor zeros(DType type, std::int64_t count) {
  return convert(Tensor::vector(std::vector<float>(static_cast<std::size_t>(count), 0)), type);
}

}  // namespace

Weights weights_of(const Site& site) {
  return {site.needed_constant(1, "weights"), site.in_end(1).params};
}

int add_weights(Site& site, const Weights& weights, const Perm& perm) {
  std::optional<QParams> params = weights.params;
  if (params && params->axis)
    params->axis = static_cast<int>(stored_axis(perm, static_cast<std::size_t>(*params->axis)));
  return site.emitter().file().add_constant(site.node().input(1)->name(),
                                            permuted(weights.tensor, perm), params);
}

int add_bias(Site& site, std::size_t input, std::int64_t outputs, const Weights& weights) {
  if (site.has_input(input) && element_count(site.in_shape(input)) != outputs)
    site.refuse("a bias that is not one value per output", "Add it behind instead.");
  FileBuilder& file = site.emitter().file();
  const std::string name =
      site.has_input(input) ? site.node().input(input)->name() : site.node().name() + "_bias";
  if (!site.integer()) {
    const Tensor bias =
        site.has_input(input) ? site.needed_constant(input, "a bias") : zeros(DType::f32, outputs);
    return file.add_constant(name, bias.reshaped({outputs}));
  }
  const QParams params = bias_params(site, weights);
  if (!site.has_input(input)) return file.add_constant(name, zeros(DType::s32, outputs), params);
  if (const Node* maker = integer_maker(site, input)) {
    require_units(site, *maker, params);
    return file.add_constant(name, maker->input(0)->constant().reshaped({outputs}), params);
  }
  QParams channels = *weights.params;
  if (channels.axis) channels.axis = 0;
  const Tensor bias = site.needed_constant(input, "a bias").reshaped({outputs});
  return file.add_constant(
      name, quantize_bias(bias, site.in_params(0).scale.front(), channels).codes, params);
}

}  // namespace intaglio::tflite
