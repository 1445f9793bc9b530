#include "calibration/refine/carrier.h"

#include <algorithm>

namespace intaglio {
namespace {

bool is_float_constant(const Value* value) {
  return value != nullptr && value->is_constant() && value->dtype() == DType::f32;
}

// The number of channels along the last axis that a constant has a value for each of; 1: one for
// all; 0: it lies otherwise, or has more axes than the data.
std::size_t channels_of(const Value& constant, const Value& data) {
  const Tensor& t = constant.constant();
  const auto count = static_cast<std::size_t>(t.size());
  if (t.rank() > std::max(data.rank(), 1)) return 0;
  return count == 1 || (t.rank() > 0 && t.shape().back() == t.size()) ? count : 0;
}

std::size_t known_length(const Value& value) {
  const bool known = value.dims() && !value.dims()->empty() && value.dims()->back().known();
  return known ? static_cast<std::size_t>(value.dims()->back().value) : 0;
}

bool is_over_last_axis(const Node& normalization, int rank) {
  const std::int64_t axis = normalization.attr_int("axis", -1);
  return axis == -1 || (rank > 0 && axis == rank - 1);
}

std::optional<Carrier> normalization(const Node& node) {
  const Value* data = node.input(0);
  if (data == nullptr || !is_float_constant(node.input(1)) ||
      !is_over_last_axis(node, data->rank()))
    return std::nullopt;
  Carrier carrier{.data = data, .constants = {1}, .makes = true};
  if (node.input(2) != nullptr) carrier.constants.push_back(2);
  return carrier;
}

std::optional<Carrier> arithmetic(const Node& node) {
  const bool commutes = node.is("Mul") || node.is("Add");
  if (!commutes && !node.is("Div") && !node.is("Sub")) return std::nullopt;
  const std::size_t constant = commutes && is_float_constant(node.input(0)) ? 0 : 1;
  const Value* data = node.input(1 - constant);
  if (data == nullptr || data->is_constant()) return std::nullopt;
  return Carrier{.data = data, .constants = {constant}, .makes = node.is("Mul") || node.is("Div")};
}

// One value for each channel: those of the constant, times the scales.
Tensor scaled(const Tensor& constant, const std::vector<float>& scale, bool divisor) {
  Shape shape = constant.shape();
  if (shape.empty()) shape.push_back(1);
  shape.back() = static_cast<std::int64_t>(scale.size());
  Tensor result(DType::f32, shape);
  const auto from = constant.data<float>();
  const auto to = result.mutate<float>();
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const float value = from[from.size() == 1 ? 0 : c];
    to[c] = divisor ? value / scale[c] : value * scale[c];
  }
  return result;
}

}  // namespace

std::optional<Carrier> carrier_of(const Node& node) {
  std::optional<Carrier> carrier =
      node.is("LayerNormalization") ? normalization(node) : arithmetic(node);
  if (!carrier || node.output(0) == nullptr) return std::nullopt;
  carrier->axis = std::max(carrier->data->rank(), 0) - 1;
  carrier->channels = known_length(*node.output(0));
  for (const std::size_t i : carrier->constants) {
    if (!is_float_constant(node.input(i))) return std::nullopt;
    const std::size_t channels = channels_of(*node.input(i), *carrier->data);
    if (channels == 0) return std::nullopt;
    if (channels > 1 && carrier->channels == 0) carrier->channels = channels;
    if (channels > 1 && channels != carrier->channels) return std::nullopt;
  }
  return carrier;
}

void scale_constants(Node& node, const Carrier& carrier, const std::vector<float>& scale) {
  for (const std::size_t i : carrier.constants) {
    Value& constant = *node.input(i);
    Tensor tensor = scaled(constant.constant(), scale, node.is("Div"));
    if (constant.uses().size() == 1 && !constant.is_output()) {
      constant.set_constant(std::move(tensor));
    } else {
      Graph& graph = node.graph();
      graph.set_input(node, i, &graph.add_constant(constant.name(), std::move(tensor)));
    }
  }
}

}  // namespace intaglio
