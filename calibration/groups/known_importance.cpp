#include "calibration/groups/known_importance.h"

#include <algorithm>

#include "calibration/groups/methods.h"
#include "lib/tensor/tensor.h"

namespace intaglio {
namespace {

// A float constant with a number for each channel.
const Tensor* channels(const Value* value, std::size_t width) {
  if (value == nullptr || !value->is_constant()) return nullptr;
  const Tensor& tensor = value->constant();
  const bool suits = is_float(tensor.dtype()) && tensor.rank() >= 1 &&
                     tensor.size() == static_cast<std::int64_t>(width) &&
                     tensor.shape().back() == tensor.size();
  return suits ? &tensor : nullptr;
}

// Which input of a normalization is its scale; 0: it is none.
std::size_t scale_input(const Node& node) {
  const std::string& op = node.op();
  if (op == "LayerNormalization" || op == "RMSNormalization" ||
      op == "SimplifiedLayerNormalization")
    return 1;
  if (op == "SkipLayerNormalization" || op == "SkipSimplifiedLayerNormalization") return 2;
  return 0;
}

// What a Reciprocal, or a Div of a constant, turns over; null: the node does not.
const Value* inverse_of(const Node* node) {
  if (node == nullptr) return nullptr;
  if (node->is("Reciprocal")) return node->input(0);
  const bool divides =
      node->is("Div") && node->input(0) != nullptr && node->input(0)->is_constant();
  return divides ? node->input(1) : nullptr;
}

// x / sqrt(mean x^2 + e), or x * its reciprocal: a product or quotient with what a root was taken of.
bool is_normalized(const Value* value) {
  const Node* node = value == nullptr ? nullptr : value->producer();
  if (node == nullptr || (!node->is("Mul") && !node->is("Div"))) return false;
  return std::ranges::any_of(node->inputs(), [](const Value* input) {
    const Node* root = input == nullptr ? nullptr : input->producer();
    if (const Value* inverted = inverse_of(root)) root = inverted->producer();
    return root != nullptr && (root->is("Sqrt") || root->is("Pow"));
  });
}

const Tensor* scale_of(const Value& value, std::size_t width) {
  const Node* node = value.producer();
  if (node == nullptr) return nullptr;
  if (node->is("Cast") && node->input(0) != nullptr) return scale_of(*node->input(0), width);
  if (const std::size_t input = scale_input(*node); input > 0)
    return channels(node->input(input), width);
  if (!node->is("Mul")) return nullptr;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
    if (const Tensor* scale = channels(node->input(i), width);
        scale != nullptr && is_normalized(node->input(1 - i)))
      return scale;
  return nullptr;
}

}  // namespace

std::vector<float> known_importance(const Value& value, std::size_t width) {
  const Tensor* scale = scale_of(value, width);
  if (scale == nullptr) return {};
  std::vector<double> squares;
  for (const float s : scale->to_vector<float>()) squares.push_back(static_cast<double>(s * s));
  return importance_of(squares);
}

}  // namespace intaglio
