#include "lib/ncnn/match.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace intaglio {
namespace {

// float16 keeps 11 bits, and ncnn's conversion makes 0 of what is below its least normal value. Of small
// values beside large ones, as many bits as matter in a sum.
constexpr float relative = 0x1p-10f, of_largest = 0x1p-20f, least_half = 0x1p-14f;

bool same(const std::vector<float>& a, const std::vector<float>& b, NcnnType type) {
  if (a.size() != b.size()) return false;
  float largest = 0;
  for (const float x : b) largest = std::max(largest, std::abs(x));
  const float least = std::max(of_largest * largest, type == NcnnType::f16 ? least_half : 0);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= relative * std::abs(b[i]) + least)) return false;
  return true;
}

std::vector<std::size_t> in_order(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

// Rows of columns: a matrix (rows, columns) of blocks, turned.
std::vector<std::size_t> turned(std::size_t rows, std::size_t columns, std::size_t block,
                                std::size_t groups) {
  std::vector<std::size_t> order;
  order.reserve(groups * rows * columns * block);
  for (std::size_t g = 0; g < groups; ++g)
    for (std::size_t c = 0; c < columns; ++c)
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t k = 0; k < block; ++k)
          order.push_back(((g * rows + r) * columns + c) * block + k);
  return order;
}

// A product that is no more than weights and a bias.
bool is_plain_gemm(const Node& gemm) {
  return gemm.attr_float("alpha", 1) == 1 && gemm.attr_float("beta", 1) == 1 &&
         gemm.attr_int("transA", 0) == 0;
}

std::size_t size_at(const Tensor& tensor, std::size_t axis) {
  return static_cast<std::size_t>(tensor.dim(axis));
}

}  // namespace

std::vector<std::size_t> ncnn_order(const Node& node) {
  const Value* weight = node.input(1);
  if (weight == nullptr || !weight->is_constant() || weight->dtype() != DType::f32) return {};
  const Tensor& w = weight->constant();
  const auto count = static_cast<std::size_t>(w.size());
  if (count == 0) return {};
  if (node.is("Conv")) return in_order(count);
  if (node.is("ConvTranspose") && w.rank() > 2) {
    const auto groups = static_cast<std::size_t>(node.attr_int("group", 1));
    const std::size_t rows = size_at(w, 0) / groups, columns = size_at(w, 1);
    return turned(rows, columns, count / (groups * rows * columns), groups);
  }
  const bool matmul = node.is("MatMul");
  if (w.rank() != 2 || !(matmul || (node.is("Gemm") && is_plain_gemm(node)))) return {};
  if (!matmul && node.attr_int("transB", 0) != 0) return in_order(count);
  return turned(size_at(w, 0), size_at(w, 1), 1, 1);
}

std::optional<std::vector<float>> ncnn_bias(const Node& node) {
  const Value* bias = node.is("MatMul") ? nullptr : node.input(2);
  if (bias == nullptr || !bias->is_constant() || bias->dtype() != DType::f32) return std::nullopt;
  return bias->constant().to_vector<float>();
}

std::vector<float> ncnn_weights(const Node& node) {
  const std::vector<std::size_t> order = ncnn_order(node);
  if (order.empty()) return {};
  const auto from = node.input(1)->constant().data<float>();
  std::vector<float> weights;
  weights.reserve(order.size());
  for (const std::size_t i : order) weights.push_back(from[i]);
  return weights;
}

std::vector<const Node*> match_ncnn(const NcnnNetwork& network, const Graph& graph) {
  const std::vector<NcnnLayer>& layers = network.graph.layers;
  std::vector<const Node*> nodes(layers.size());
  const std::vector<Node*> all = graph.nodes();
  std::vector<std::vector<float>> weights;  // of all
  weights.reserve(all.size());
  for (const Node* node : all) weights.push_back(ncnn_weights(*node));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const NcnnProduct product = ncnn_product(layers[i]);
    if (product.weights == 0) continue;
    const std::vector<float> own = ncnn_floats(network.arrays[i].front());
    std::vector<float> added(static_cast<std::size_t>(product.outputs));
    if (product.bias) added = ncnn_floats(network.arrays[i].back());
    for (std::size_t n = 0; n < all.size() && nodes[i] == nullptr; ++n) {
      if (weights[n].size() != own.size() || !same(own, weights[n], network.arrays[i].front().type))
        continue;
      const auto bias = ncnn_bias(*all[n]);
      if (bias && !same(added, *bias, NcnnType::raw)) continue;
      nodes[i] = all[n];
      weights[n].clear();  // it is taken
    }
  }
  return nodes;
}

}  // namespace intaglio
