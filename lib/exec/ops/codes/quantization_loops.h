// The inner loops of quantization.h, compiled for each generation of x86.
#pragma once

#include <cstdint>

namespace intaglio {

// out = saturate(round(x / scale) + zero) with lo and hi the lowest and highest code.
// step: 0 when all elements share a scale or multiplier, 1 when each has its own.
struct QuantizeRun {
  const float* scale;
  std::int64_t step;
  std::int32_t zero, lo, hi;
};
void quantize_run(const QuantizeRun& run, const float* x, std::int64_t count, std::uint8_t* out);
void quantize_run(const QuantizeRun& run, const float* x, std::int64_t count, std::int8_t* out);
void quantize_run(const QuantizeRun& run, const float* x, std::int64_t count, std::int32_t* out);

// out = (code - zero) * scale
void dequantize_run(const std::uint8_t* codes, std::int64_t count, float scale, std::int32_t zero,
                    float* out);
void dequantize_run(const std::int8_t* codes, std::int64_t count, float scale, std::int32_t zero,
                    float* out);
void dequantize_run(const std::int32_t* codes, std::int64_t count, float scale, std::int32_t zero,
                    float* out);

// out = saturate(round(float(sum) * multiplier) + zero)
void requantize_run(const QuantizeRun& run, const std::int32_t* sums, std::int64_t count,
                    std::uint8_t* out);
void requantize_run(const QuantizeRun& run, const std::int32_t* sums, std::int64_t count,
                    std::int8_t* out);

}  // namespace intaglio
