#include "lib/rewrite/product_bias.h"

#include <algorithm>
#include <cmath>

#include "lib/passes/gemm_of_matmul.h"
#include "lib/quant/array.h"
#include "lib/rewrite/constants.h"

namespace intaglio {
namespace {

constexpr double most = 1 << 30;  // codes of a bias; the other half is for the products

const Tensor* scale_of(const Value* value) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  if (node == nullptr || !node->is("DequantizeLinear") || !node->input(1)->is_constant() ||
      node->input(1)->constant().dtype() != DType::f32)
    return nullptr;
  return &node->input(1)->constant();
}

// The bias in steps of the sums; nullopt: it is no constant of one value a column, or too large.
std::optional<QuantizedBias> codes_of(const Value& bias, const Tensor& x_scale,
                                      const Tensor& w_scale) {
  if (!bias.is_constant() || bias.dtype() != DType::f32 || bias.constant().rank() < 1 ||
      bias.constant().shape().back() != bias.constant().size() || x_scale.size() != 1 ||
      (w_scale.size() != 1 && w_scale.size() != bias.constant().size()))
    return std::nullopt;
  const float step = x_scale.to_vector<float>().front();
  QParams weights{DType::s8, std::nullopt, w_scale.to_vector<float>(), {}};
  if (w_scale.size() > 1) weights.axis = 0;
  const Tensor flat = bias.constant().reshaped({bias.constant().size()});
  const auto in = flat.data<float>();
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double unit =
        static_cast<double>(step) * weights.scale[weights.scale.size() == 1 ? 0 : i];
    if (!(std::abs(static_cast<double>(in[i])) <= most * unit)) return std::nullopt;
  }
  return quantize_bias(flat, step, weights);
}

bool keep(Node& product) {
  const auto gemm = gemm_of(product);
  if (!gemm) return false;
  const Tensor *x = scale_of(product.input(0)), *w = scale_of(product.input(1));
  if (x == nullptr || w == nullptr || scale_of(gemm->bias) != nullptr) return false;
  const std::string name = gemm->bias->name();
  if (const auto codes = codes_of(*gemm->bias, *x, *w)) {
    replace_constant(*gemm->add, gemm->bias_input, name, codes->codes, codes->params);
    return true;
  }
  gemm->add->set_op("Sum");
  return true;
}

}  // namespace

std::size_t keep_products_on_codes(Model& model) {
  std::size_t kept = 0;
  for (Node* node : model.graph().nodes())
    if (node->is("MatMul") && keep(*node)) ++kept;
  return kept;
}

}  // namespace intaglio
