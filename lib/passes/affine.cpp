#include "lib/passes/affine.h"

#include <algorithm>

namespace intaglio {
namespace {

bool is_float_constant(const Value& value) {
  return value.is_constant() && value.constant().dtype() == DType::f32;
}

// The output channel that element i of the weights belongs to.
std::int64_t channel_of(const Node& node, std::int64_t i) {
  const Shape& shape = node.input(1)->constant().shape();
  if (node.is("Gemm")) return node.attr_int("transB", 0) != 0 ? i / shape[1] : i % shape[1];
  const std::int64_t window = product(shape, 2, shape.size());
  if (node.is("Conv")) return i / (shape[1] * window);
  // ConvTranspose: [C, M / groups, ...]; input channel c belongs to group c / (C / groups).
  const std::int64_t in = i / (shape[1] * window),
                     group = in / (shape[0] / node.attr_int("group", 1));
  return group * shape[1] + i / window % shape[1];
}

// How many elements of the weights in a row belong to one output channel.
std::int64_t run_length(const Node& node) {
  const Shape& shape = node.input(1)->constant().shape();
  if (node.is("Gemm")) return node.attr_int("transB", 0) != 0 ? shape[1] : 1;
  return product(shape, node.is("Conv") ? 1 : 2, shape.size());
}

// One value per channel, or one for all of them.
bool is_bias(const Value& value, std::int64_t channels) {
  const Shape& shape = value.constant().shape();
  const std::int64_t last = shape.empty() ? 1 : shape.back();
  return value.constant().size() == last && (last == 1 || last == channels);
}

void replace_constant(Node& node, std::size_t i, Tensor tensor) {
  Value* old = node.input(i);
  if (old != nullptr && old->uses().size() == 1 && !old->is_output()) {
    old->set_constant(std::move(tensor));
    return;
  }
  const std::string hint = old != nullptr ? old->name() : node.input(1)->name() + "_bias";
  node.graph().set_input(node, i, &node.graph().add_constant(hint, std::move(tensor)));
}

}  // namespace

std::int64_t output_channels(const Node& producer) {
  const Shape& shape = producer.input(1)->constant().shape();
  if (producer.is("Gemm")) return shape[producer.attr_int("transB", 0) != 0 ? 0 : 1];
  return producer.is("Conv") ? shape[0] : shape[1] * producer.attr_int("group", 1);
}

Node* foldable_producer(const Value* x) {
  Node* node = x != nullptr ? x->producer() : nullptr;
  if (node == nullptr || !(node->is("Conv") || node->is("ConvTranspose") || node->is("Gemm")))
    return nullptr;
  if (x->is_output() || x->uses().size() != 1 || &x->uses()[0].node->graph() != &node->graph())
    return nullptr;
  const Value *weights = node->input(1), *bias = node->input(2);
  if (weights == nullptr || !is_float_constant(*weights)) return nullptr;
  const int rank = weights->constant().rank();
  if (node->is("Gemm") ? rank != 2 : rank < 3) return nullptr;
  if (node->is("ConvTranspose")) {
    const std::int64_t groups = node->attr_int("group", 1);
    if (groups < 1 || weights->constant().dim(0) % groups != 0) return nullptr;
  }
  if (bias != nullptr && (!is_float_constant(*bias) || !is_bias(*bias, output_channels(*node))))
    return nullptr;
  return node;
}

void fold_affine(Node& producer, const ChannelAffine& affine, Node& reader) {
  const auto& [scale, shift] = affine;
  if (std::any_of(scale.begin(), scale.end(), [](double s) { return s != 1; })) {
    Tensor weights = producer.input(1)->constant();
    const auto values = weights.mutate<float>();
    const auto run = static_cast<std::size_t>(run_length(producer));
    for (std::size_t i = 0; i < values.size(); i += run) {
      const auto channel = channel_of(producer, static_cast<std::int64_t>(i));
      for (float& value : values.subspan(i, run))
        value = static_cast<float>(value * scale[static_cast<std::size_t>(channel)]);
    }
    replace_constant(producer, 1, std::move(weights));
  }

  const bool gemm = producer.is("Gemm");
  const double beta = gemm ? producer.attr_float("beta", 1) : 1;
  std::vector<float> old;
  if (producer.input(2) != nullptr) old = producer.input(2)->constant().to_vector<float>();
  Tensor bias(DType::f32, {static_cast<std::int64_t>(scale.size())});
  const auto values = bias.mutate<float>();
  for (std::size_t c = 0; c < values.size(); ++c) {
    const double before = old.empty() ? 0 : beta * old[old.size() == 1 ? 0 : c];
    values[c] = static_cast<float>(before * scale[c] + shift[c]);
  }
  const bool zero = std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
  if (!old.empty() || !zero) replace_constant(producer, 2, std::move(bias));
  if (gemm) producer.erase_attr("beta");

  Graph& graph = producer.graph();
  Value &made = *producer.output(0), &wanted = *reader.output(0);
  graph.erase(reader);
  graph.set_output(producer, 0, wanted);
  graph.erase(made);
}

}  // namespace intaglio
