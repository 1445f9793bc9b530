#include "lib/tflite/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace intaglio::tflite {
namespace {

int code_of_bound(float bound, const QParams& params) {
  const double code =
      std::nearbyint(static_cast<double>(bound) / params.scale.front()) + params.zero_point.front();
  return static_cast<int>(std::clamp(code, -128.0, 127.0));
}

}  // namespace

bool Site::has_input(std::size_t i) const {
  return i < group_.inputs.size() && group_.inputs[i].value != nullptr;
}

Shape Site::in_shape(std::size_t i) const { return shape_of(*group_.inputs[i].value); }

Shape Site::out_shape(std::size_t i) const { return shape_of(*group_.outputs[i].value); }

Perm Site::in_order_of(std::size_t i) {
  if (constant(i)) return in_order(in_shape(i).size());
  return emitter_.stored(group_.inputs[i]).perm;
}

int Site::in(std::size_t i, const Perm& perm) { return emitter_.tensor(group_.inputs[i], perm); }

int Site::in_as_result(std::size_t i, const Perm& perm) {
  const int from = in(i, perm);
  if (!integer() || in_params(i) == out_params(0)) return from;
  TensorSpec spec = emitter_.file().spec(from);
  spec.name += "_requantized";
  spec.params = out_params(0);
  const int to = emitter_.file().add_tensor(spec);
  emit(fb::Op::QUANTIZE, {from}, {to});
  return to;
}

int Site::out(std::size_t i, const Perm& perm) {
  static const QParams none;
  return out(i, perm, integer() ? out_params(i) : none);
}

int Site::out(std::size_t i, const Perm& perm, const QParams& made) {
  const End& end = group_.outputs[i];
  TensorSpec spec{end.value->name(), integer() ? DType::s8 : end.value->dtype(),
                  permuted(out_shape(i), perm), end.params};
  const int last = emitter_.file().add_tensor(spec);
  emitter_.store(*end.value, {last, perm, {}});
  if (!integer()) return last;
  int first = last;
  const CodeBounds bounds = activated_ ? CodeBounds{} : code_bounds(i);
  if (bounds.lo > -128 || bounds.hi < 127) {
    spec.name = end.value->name() + "_unclipped";
    first = emitter_.file().add_tensor(spec);
    add_clamp(first, i, bounds, last);
  }
  if (made == *end.params) return first;
  spec.name = end.value->name() + "_before";
  spec.params = made;
  const int before = emitter_.file().add_tensor(spec);
  steps_.insert(steps_.begin(), {fb::Op::QUANTIZE, before, -1, first});
  return before;
}

int Site::moved(std::size_t i, const Perm& perm) {
  return integer() ? out(i, perm, in_params(0)) : out(i, perm);
}

void Site::add_clamp(int from, std::size_t i, const CodeBounds& bounds, int to) {
  if (bounds.lo > -128 && bounds.hi < 127) {
    TensorSpec spec = emitter_.file().spec(to);
    spec.name = group_.outputs[i].value->name() + "_from_below";
    const int middle = emitter_.file().add_tensor(spec);
    steps_.push_back({fb::Op::MAXIMUM, from, bound_tensor(to, bounds.lo), middle});
    from = middle;
  } else if (bounds.lo > -128) {
    steps_.push_back({fb::Op::MAXIMUM, from, bound_tensor(to, bounds.lo), to});
  }
  if (bounds.hi < 127) steps_.push_back({fb::Op::MINIMUM, from, bound_tensor(to, bounds.hi), to});
}

int Site::bound_tensor(int like, int code) {
  return emitter_.file().add_constant("bound", Tensor::scalar(static_cast<std::int8_t>(code)),
                                      emitter_.file().spec(like).params);
}

int Site::scalar_like(const Tensor& value, int tensor) {
  const TensorSpec& spec = emitter_.file().spec(tensor);
  if (spec.params) return bound_tensor(tensor, code_of_bound(value.item<float>(), *spec.params));
  return emitter_.file().add_constant("value", convert(value, spec.type).reshaped({}));
}

void Site::pass(std::size_t i, const Stored& stored) {
  const CodeBounds bounds = integer() ? code_bounds(i) : CodeBounds{};
  const auto& params = emitter_.file().spec(stored.tensor).params;
  const bool same =
      !integer() || (params == group_.outputs[i].params && bounds.lo == -128 && bounds.hi == 127);
  if (same) return emitter_.store(*group_.outputs[i].value, stored);
  const int to = out(i, stored.perm, *params);
  // What out() asks for is the first of the steps; it reads what is there.
  for (Step& step : steps_)
    if (step.from == to) step.from = stored.tensor;
}

Interval Site::bounds() const {
  if (bounds_) return *bounds_;
  return group_.activation != nullptr ? bounds_of(*group_.activation) : Interval{};
}

Site::CodeBounds Site::code_bounds(std::size_t i) const {
  const Interval b = bounds();
  CodeBounds codes;
  if (std::isfinite(b.lo)) codes.lo = code_of_bound(b.lo, out_params(i));
  if (std::isfinite(b.hi)) codes.hi = code_of_bound(b.hi, out_params(i));
  return codes;
}

fb::Activation Site::activation() {
  if (!integer()) return fb::Activation::NONE;
  const CodeBounds codes = code_bounds(0);
  const Interval b = bounds();
  activated_ = true;
  if (codes.lo == -128 && codes.hi == 127) return fb::Activation::NONE;
  if (b.lo == 0 && codes.hi == 127) return fb::Activation::RELU;
  if (b.lo == 0 && b.hi == 6) return fb::Activation::RELU6;
  if (b.lo == -1 && b.hi == 1) return fb::Activation::RELU_N1_TO_1;
  activated_ = false;
  return fb::Activation::NONE;
}

std::optional<Tensor> Site::constant(std::size_t i) const {
  return has_input(i) ? emitter_.constant(group_.inputs[i]) : std::nullopt;
}

Tensor Site::needed_constant(std::size_t i, const char* what) const {
  auto tensor = constant(i);
  if (!tensor)
    refuse(fmt::format("{} computed as the model runs", what),
           "Export the model with constants there, and fixed lengths of its inputs.");
  return *tensor;
}

std::vector<std::int64_t> Site::needed_ints(std::size_t i, const char* what) const {
  return needed_constant(i, what).to_vector<std::int64_t>();
}

void Site::finish() {
  for (const Step& step : steps_) {
    std::vector<int> inputs = {step.from};
    if (step.bound >= 0) inputs.push_back(step.bound);
    emit(step.op, std::move(inputs), {step.to});
  }
}

void Site::refuse(const std::string& reason, const std::string& remedy) const {
  throw Error(Code::unsupported, fmt::format("TFLite: {}: {}", node().label(), reason), remedy);
}

}  // namespace intaglio::tflite
