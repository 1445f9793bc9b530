// fold_bias
//   Before: Conv | ConvTranspose | Gemm -> x + c, c + x, x - c, x * c, c * x or x / c, where the
//           constant c has one value per output channel ([1,C,1,1], [C,1,1]) or one in all
//   After:  Conv | ConvTranspose | Gemm with another bias, or other weights and bias (see affine.h)
//   Why:    a bias that stands apart would be quantized to 8 bits; inside it has 32.
//   Kept:   where c would enlarge the result or vary along another axis, or divides by zero.

#include <cmath>

#include "lib/passes/affine.h"
#include "lib/passes/list.h"

namespace intaglio {
namespace {

struct Match {
  Node* producer;
  ChannelAffine affine;
};

// The constant spread over the channels (axis 1 of a result of that rank); empty when it varies
// elsewhere.
std::vector<double> per_channel(const Value& value, int rank, std::int64_t channels) {
  if (!value.is_constant() || value.constant().dtype() != DType::f32) return {};
  const Tensor& tensor = value.constant();
  if (tensor.rank() > rank || tensor.size() == 0) return {};
  const int channel_axis = 1 - (rank - tensor.rank());  // counted in the constant's own axes
  const std::int64_t length =
      channel_axis >= 0 ? tensor.dim(static_cast<std::size_t>(channel_axis)) : 1;
  if (tensor.size() != length || (length != 1 && length != channels)) return {};
  auto values = tensor.to_vector<double>();
  if (length == 1) values.resize(static_cast<std::size_t>(channels), values[0]);
  return values;
}

std::optional<Match> match(const Node& node) {
  const bool add = node.is("Add"), sub = node.is("Sub"), mul = node.is("Mul"), div = node.is("Div");
  if ((!add && !sub && !mul && !div) || node.output(0) == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < (add || mul ? 2 : 1); ++i) {
    Node* producer = foldable_producer(node.input(i));
    if (producer == nullptr || node.input(1 - i) == nullptr) continue;
    const auto channels = output_channels(*producer);
    const int rank = producer->input(1)->constant().rank();
    const auto c = per_channel(*node.input(1 - i), rank, channels);
    if (c.empty()) continue;
    Match found{producer, {std::vector<double>(c.size(), 1), std::vector<double>(c.size(), 0)}};
    for (std::size_t k = 0; k < c.size(); ++k) {
      if (!std::isfinite(c[k]) || (div && c[k] == 0)) return std::nullopt;
      if (add || sub) found.affine.shift[k] = add ? c[k] : -c[k];
      if (mul || div) found.affine.scale[k] = mul ? c[k] : 1 / c[k];
    }
    return found;
  }
  return std::nullopt;
}

}  // namespace

int fold_bias(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model)) {
    for (Node* node : graph->nodes()) {
      const auto found = match(*node);
      if (!found) continue;
      fold_affine(*found->producer, found->affine, *node);
      ++rewrites;
    }
  }
  return rewrites;
}

}  // namespace intaglio
