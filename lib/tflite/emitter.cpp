#include "lib/tflite/emitter.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/quant/array.h"
#include "lib/tflite/op_versions.h"

namespace intaglio::tflite {
namespace {

Tensor as_signed(const Tensor& codes) {
  if (codes.dtype() != DType::u8) return codes;
  Tensor result(DType::s8, codes.shape());
  const auto from = codes.data<std::uint8_t>();
  std::ranges::transform(from, result.mutate<std::int8_t>().begin(),
                         [](std::uint8_t code) { return static_cast<std::int8_t>(code - 128); });
  return result;
}

// Lengths of 1 in front, up to the rank.
Shape with_rank(Shape shape, std::size_t rank) {
  shape.insert(shape.begin(), rank > shape.size() ? rank - shape.size() : 0, 1);
  return shape;
}

Perm with_rank(const Perm& perm, std::size_t rank) {
  const std::size_t more = rank > perm.size() ? rank - perm.size() : 0;
  Perm result = in_order(more);
  for (const std::size_t axis : perm) result.push_back(axis + more);
  return result;
}

}  // namespace

Shape shape_of(const Value& value) {
  Shape shape;
  const bool known = value.dims() && std::ranges::all_of(*value.dims(), &Dim::known);
  if (!known)
    throw Error(Code::unsupported,
                fmt::format("TFLite: value '{}': its shape {} is not known before the run",
                            value.name(), value.dims() ? to_string(*value.dims()) : "?"),
                "Export the model with fixed lengths of all inputs but for the batch.");
  for (const Dim& dim : *value.dims()) shape.push_back(dim.value);
  return shape;
}

void Emitter::store(const Value& value, Stored stored) { stored_[&value] = std::move(stored); }

const Stored& Emitter::stored(const End& end) {
  const auto it = stored_.find(end.value);
  if (it != stored_.end()) return it->second;
  if (const auto values = constant(end)) {
    const Perm perm = in_order(values->shape().size());
    store(*end.value, {constant_tensor(end, *values, perm), perm, {}});
  } else {
    store_dequantized(*end.value);
  }
  return stored_.at(end.value);
}

std::optional<Tensor> Emitter::constant(const End& end) const {
  const Value& value = *end.value;
  if (value.is_constant()) {
    const Tensor tensor = to_row_major(value.constant());
    return end.params ? as_signed(tensor) : tensor;
  }
  const Node* maker = value.producer();
  if (maker == nullptr || !maker->is("DequantizeLinear") || !maker->input(0)->is_constant())
    return std::nullopt;
  const Tensor& codes = maker->input(0)->constant();
  auto params = params_of(*maker);
  if (!params) {  // int32
    params = QParams{DType::s32, std::nullopt, maker->input(1)->constant().to_vector<float>(), {}};
    params->zero_point.resize(params->scale.size(), 0);
    if (params->scale.size() > 1) params->axis = 0;
  }
  return dequantize(as_signed(to_row_major(codes)), *params);
}

// Codes that somebody reads in float.
void Emitter::store_dequantized(const Value& value) {
  const Node* maker = value.producer();
  if (maker == nullptr || !maker->is("DequantizeLinear"))
    throw Error(Code::internal, fmt::format("TFLite: value '{}' was not made", value.name()),
                "Please report this with the model.");
  const Stored codes = stored({maker->input(0), params_of(*maker)});
  const int tensor =
      file_.add_tensor({value.name(), DType::f32, file_.spec(codes.tensor).shape, std::nullopt});
  emit(fb::Op::DEQUANTIZE, {codes.tensor}, {tensor});
  store(value, {tensor, codes.perm, codes.columns});
}

int Emitter::constant_tensor(const End& end, const Tensor& tensor, const Perm& perm) {
  const std::size_t rank = std::max(perm.size(), tensor.shape().size());
  std::optional<QParams> params = end.params;
  if (params && params->axis) {
    const std::size_t axis = static_cast<std::size_t>(*params->axis) + rank - tensor.shape().size();
    params->axis = static_cast<int>(stored_axis(perm, axis));
  }
  const Tensor full = tensor.reshaped(with_rank(tensor.shape(), rank));
  return file_.add_constant(end.value->name(), permuted(full, perm), params);
}

int Emitter::tensor(const End& end, const Perm& perm) {
  if (const auto values = constant(end)) return constant_tensor(end, *values, perm);
  return relaid(end, stored(end), perm);
}

int Emitter::relaid(const End& end, const Stored& from, const Perm& perm) {
  if (!from.columns.empty())
    throw Error(Code::internal,
                fmt::format("TFLite: the columns of '{}' are not in order", end.value->name()),
                "Please report this with the model.");
  const Perm full = with_rank(from.perm, perm.size());
  if (from.perm == perm) return from.tensor;
  const auto [it, fresh] = relaid_.try_emplace({end.value, perm}, from.tensor);
  if (!fresh) return it->second;
  const Shape shape = with_rank(shape_of(*end.value), perm.size());
  int at = from.tensor;
  if (same_places(shape, full, perm)) {
    at = reshape(at, permuted(shape, perm), "_reshaped");
  } else {
    if (full.size() != from.perm.size()) at = reshape(at, permuted(shape, full), "_reshaped");
    at = transpose(at, between(full, perm), "_transposed");
  }
  return relaid_[{end.value, perm}] = at;
}

void Emitter::emit(fb::Op op, std::vector<int> inputs, std::vector<int> outputs,
                   fb::OptionsUnion options) {
  const auto type_of = [&](int tensor) {
    return tensor < 0 ? DType::undefined : file_.spec(tensor).type;
  };
  const bool codes = std::ranges::any_of(
      inputs, [&](int t) { return type_of(t) == DType::s8 || type_of(t) == DType::u8; });
  file_.add_operator(op, version_of(op, codes, options), std::move(inputs), std::move(outputs),
                     std::move(options));
}

int Emitter::ints(const std::vector<std::int64_t>& values) {
  const std::vector<std::int32_t> narrow(values.begin(), values.end());
  return file_.add_constant("ints", Tensor::vector(narrow));
}

int Emitter::int_scalar(std::int64_t value) {
  return file_.add_constant("int", Tensor::scalar(static_cast<std::int32_t>(value)));
}

int Emitter::like(int tensor, const Shape& shape, const std::string& suffix) {
  TensorSpec spec = file_.spec(tensor);
  spec.name += suffix;
  spec.shape = shape;
  return file_.add_tensor(spec);
}

int Emitter::reshape(int from, const Shape& shape, const std::string& suffix) {
  const int to = like(from, shape, suffix);
  fb::ReshapeOptionsT options;
  options.new_shape.assign(shape.begin(), shape.end());
  fb::OptionsUnion choice;
  choice.Set(std::move(options));
  emit(fb::Op::RESHAPE, {from, ints(shape)}, {to}, std::move(choice));
  return to;
}

int Emitter::transpose(int from, const Perm& moves, const std::string& suffix) {
  const int to = like(from, permuted(file_.spec(from).shape, moves), suffix);
  emit(fb::Op::TRANSPOSE, {from, ints({moves.begin(), moves.end()})}, {to});
  return to;
}

}  // namespace intaglio::tflite
