#include "lib/exec/ops/codes/arithmetic.h"

#include <fmt/format.h>

#include "lib/base/simd.h"
#include "lib/exec/ops/codes/table.h"
#include "lib/exec/ops/float_io.h"

namespace intaglio {
namespace {

template <typename T>
[[gnu::always_inline]] inline void centre(const T* codes, std::int64_t count, std::int32_t zero,
                                          float* out) {
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<float>(static_cast<std::int32_t>(codes[i]) - zero);
}

INTAGLIO_CLONES void centre_u8(const std::uint8_t* codes, std::int64_t count, std::int32_t zero,
                               float* out) {
  centre(codes, count, zero, out);
}

INTAGLIO_CLONES void centre_s8(const std::int8_t* codes, std::int64_t count, std::int32_t zero,
                               float* out) {
  centre(codes, count, zero, out);
}

}  // namespace

CodeParams code_params(const KernelContext& context, std::size_t i) {
  CodeParams params{as_float(context.input(i)).item<float>(), 0};
  if (const Tensor* zero = context.optional(i + 1))
    params.zero = convert(*zero, DType::s32).item<std::int32_t>();
  return params;
}

void require_codes(DType type) {
  if (type != DType::u8 && type != DType::s8)
    throw Error(Code::unsupported, fmt::format("codes of type {}", name_of(type)),
                "Use 8-bit codes here.");
}

Tensor centred(const Tensor& codes, std::int32_t zero) {
  Tensor result(DType::f32, codes.shape());
  float* out = result.mutate<float>().data();
  if (codes.dtype() == DType::u8) {
    centre_u8(codes.data<std::uint8_t>().data(), codes.size(), zero, out);
  } else {
    centre_s8(codes.data<std::int8_t>().data(), codes.size(), zero, out);
  }
  return result;
}

Tensor all_codes_dequantized(DType type, CodeParams params) {
  Tensor values(DType::f32, {256});
  float* out = values.mutate<float>().data();
  visit_codes(type, [&](auto zero) {
    for (int byte = 0; byte < 256; ++byte) {
      const auto code = static_cast<decltype(zero)>(byte);
      out[byte] = params.scale * static_cast<float>(static_cast<int>(code) - params.zero);
    }
  });
  return values;
}

CodeTable quantized_table(const Tensor& values, DType type, CodeParams params) {
  const Tensor codes = quantize(values, Tensor::scalar(params.scale), Tensor::scalar(params.zero),
                                ScaleMap(values.shape(), {}, 0, 0), type);
  CodeTable table;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(codes.raw()), table.size(), table.begin());
  return table;
}

void look_up(const std::byte* codes, std::int64_t count, const CodeTable& table, std::byte* out) {
  static const bool fast = has_code_tables();
  if (fast)
    return run_code_table(reinterpret_cast<const std::uint8_t*>(codes), count, table.data(),
                          reinterpret_cast<std::uint8_t*>(out));
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<std::byte>(table[std::to_integer<std::size_t>(codes[i])]);
}

Tensor look_up(const Tensor& codes, const CodeTable& table) {
  Tensor result(codes.dtype(), codes.shape());
  look_up(codes.raw(), codes.size(), table, result.raw_mutate());
  return result;
}

}  // namespace intaglio
