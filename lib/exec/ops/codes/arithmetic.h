// Arithmetic on 8-bit codes, shared by the QLinear operators: x = (code - zero) * scale, with one
// scale and zero point for the whole tensor.
//
// Each function rounds as ONNX Runtime's kernels for x86-64 do, so that results agree to the bit.
#pragma once

#include <array>
#include <cstdint>

#include "lib/exec/kernel.h"
#include "lib/exec/ops/codes/quantization.h"

namespace intaglio {

struct CodeParams {
  float scale = 1;
  std::int32_t zero = 0;
  bool operator==(const CodeParams&) const = default;
};

// The scale at input i and the zero point at the next one (absent: 0). Code::model unless both hold
// one value.
CodeParams code_params(const KernelContext& context, std::size_t i);

// Code::unsupported unless the type has 8 bits.
void require_codes(DType type);

// Calls f with a value of the type of the codes, std::uint8_t or std::int8_t.
template <typename F>
decltype(auto) visit_codes(DType type, F&& f) {
  require_codes(type);
  return type == DType::u8 ? f(std::uint8_t{}) : f(std::int8_t{});
}

// code - zero, as f32.
Tensor centred(const Tensor& codes, std::int32_t zero);

// A function of one code, tabulated; the index is the code's byte.
using CodeTable = std::array<std::uint8_t, 256>;

// For every code of the type: quantize(f(dequantize(code))). f maps a span of floats in place.
template <typename F>
CodeTable tabulate(DType type, CodeParams from, CodeParams to, F f);

Tensor look_up(const Tensor& codes, const CodeTable& table);
void look_up(const std::byte* codes, std::int64_t count, const CodeTable& table, std::byte* out);

// --- Implementation

Tensor all_codes_dequantized(DType type, CodeParams params);
CodeTable quantized_table(const Tensor& values, DType type, CodeParams params);

template <typename F>
CodeTable tabulate(DType type, CodeParams from, CodeParams to, F f) {
  Tensor values = all_codes_dequantized(type, from);
  f(values.mutate<float>());
  return quantized_table(values, type, to);
}

}  // namespace intaglio
