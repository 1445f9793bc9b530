// Template members of Tensor. Include tensor.h instead.
#pragma once

#include <fmt/format.h>

#include <algorithm>

namespace intaglio {

template <typename T>
Tensor Tensor::of(Shape shape, std::span<const T> values) {
  Tensor tensor(dtype_of<T>(), std::move(shape));
  if (static_cast<std::int64_t>(values.size()) != tensor.size())
    throw Error(Code::internal, fmt::format("{} values for a tensor of shape {}", values.size(),
                                            to_string(tensor.shape())));
  std::copy(values.begin(), values.end(), tensor.mutate<T>().begin());
  return tensor;
}

template <typename T>
std::vector<T> Tensor::to_vector() const {
  const Tensor rows = to_row_major(*this);
  std::vector<T> out(static_cast<std::size_t>(size_));
  const std::size_t bits = bits_of(type_);
  const auto code = [&](std::size_t i) {
    return bits < 8 ? packed_bits(rows.raw(), bits, i) : static_cast<std::uint8_t>(rows.raw()[i]);
  };
  if (is_small_float(type_)) {
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<T>(small_float_value(type_, code(i)));
    return out;
  }
  if (is_packed(type_)) {
    const int sign = type_ == DType::s4 || type_ == DType::s2 ? 1 << (bits - 1) : 0;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>((code(i) ^ sign) - sign);
    return out;
  }
  visit_dtype(type_, [&](auto zero) {
    const auto values = rows.data<decltype(zero)>();
    std::transform(values.begin(), values.end(), out.begin(),
                   [](auto v) { return static_cast<T>(v); });
  });
  return out;
}

template <typename T>
T Tensor::item() const {
  if (size_ != 1)
    throw Error(Code::model, fmt::format("expected one value, found shape {}", to_string(shape_)));
  return to_vector<T>().front();
}

}  // namespace intaglio
