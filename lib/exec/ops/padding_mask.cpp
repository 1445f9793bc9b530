#include "lib/exec/ops/padding_mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lib/exec/ops/attention.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"

namespace intaglio {
namespace {

// From lengths, or from ends and starts.
Tensor from_lengths(const std::vector<std::int64_t>& given, const MaskedScores& s) {
  Tensor result(DType::f32, {s.batch, 1, 1, s.keys});
  float* out = result.mutate<float>().data();
  const auto batch = static_cast<std::size_t>(s.batch);
  for (std::size_t b = 0; b < batch; ++b) {
    const std::int64_t end = given[b], start = given.size() > batch ? given[batch + b] : 0;
    for (std::int64_t j = 0; j < s.keys; ++j) *out++ = j < end && j >= start ? 0 : s.filter;
  }
  return result;
}

Tensor from_mask(const Tensor& mask, const MaskedScores& s) {
  const Shape shape = mask.shape();
  if (shape == Shape{s.batch} || shape == Shape{2 * s.batch})
    return from_lengths(convert(mask, DType::s64).to_vector<std::int64_t>(), s);
  Shape full;
  if (shape == Shape{s.batch, s.keys}) full = {s.batch, 1, 1, s.keys};
  if (shape == Shape{s.batch, s.queries, s.keys} || shape == Shape{s.batch, 1, s.queries, s.keys})
    full = {s.batch, 1, s.queries, s.keys};
  if (full.empty())
    throw Error(Code::unsupported,
                fmt::format("a mask of shape {} for {} samples, {} queries and {} keys",
                            to_string(shape), s.batch, s.queries, s.keys));
  Tensor result(DType::f32, full);
  const auto values = convert(mask, DType::s64).to_vector<std::int64_t>();
  std::transform(values.begin(), values.end(), result.mutate<float>().begin(),
                 [&](std::int64_t v) { return v != 0 ? 0 : s.filter; });
  return result;
}

Tensor causal_mask(const MaskedScores& s) {
  Tensor result(DType::f32, {1, 1, s.queries, s.keys});
  write_visibility({.offset = s.keys - s.queries, .right = 0}, s.queries, s.keys,
                   result.mutate<float>().data());
  return result;
}

}  // namespace

Tensor add_masks(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return broadcast_map<float>(a, b, std::plus<>());
}

Tensor mask_over_keys(const Tensor& mask, std::int64_t keys) {
  constexpr float masked = -std::numeric_limits<float>::infinity();
  const bool flags = mask.dtype() == DType::boolean;
  const Tensor numbers = flags ? Tensor() : as_float(mask);
  if (mask.rank() < 1) throw Error(Code::model, "the mask is a scalar");
  Shape shape = mask.shape();
  const std::int64_t own = shape.back();
  shape.back() = own == 1 ? 1 : keys;
  if (own > shape.back())
    throw Error(Code::model, fmt::format("a mask of {} for {} keys", own, keys));
  Tensor result(DType::f32, shape);
  if (result.size() == 0) return result;
  float* out = result.mutate<float>().data();
  const std::int64_t wide = shape.back();
  for (std::int64_t row = 0; row < result.size() / wide; ++row, out += wide) {
    std::fill(out + own, out + wide, masked);
    for (std::int64_t j = 0; flags && j < own; ++j)
      out[j] = mask.data<bool>()[static_cast<std::size_t>(row * own + j)] ? 0 : masked;
    if (!flags) std::copy_n(numbers.data<float>().data() + row * own, own, out);
  }
  return result;
}

Tensor additive_mask(const Tensor* mask, const Tensor* bias, const MaskedScores& scores) {
  Tensor result;
  if (mask != nullptr) result = from_mask(*mask, scores);
  if (scores.causal) result = add_masks(result, causal_mask(scores));
  if (bias != nullptr) result = add_masks(result, as_float(*bias));
  return result;
}

}  // namespace intaglio
