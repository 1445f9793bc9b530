#include "lib/exec/ops/codes/quantization_loops.h"

#include <type_traits>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

// Clamping comes first, which is the same for whole bounds, sends NaN to the lower one and keeps
// the sum below in the range where adding 1.5 * 2^23 rounds to the nearest integer, halves to even.
template <typename T>
[[gnu::always_inline]] inline T code_of(float v, float lo, float hi, std::int32_t zero) {
  constexpr float magic = 12582912.0f;
  v = v > lo ? v : lo;
  v = v < hi ? v : hi;
  return static_cast<T>(static_cast<std::int32_t>((v + magic) - magic) + zero);
}

// value(i, factor) is what is rounded.
template <typename T, typename F>
[[gnu::always_inline]] inline void fill(const QuantizeRun& run, std::int64_t count, F value,
                                        T* out) {
  const auto lo = static_cast<float>(run.lo - run.zero), hi = static_cast<float>(run.hi - run.zero);
  const std::int32_t zero = run.zero;
  if (run.step == 0) {
    const float factor = *run.scale;
    for (std::int64_t i = 0; i < count; ++i) out[i] = code_of<T>(value(i, factor), lo, hi, zero);
  } else {
    for (std::int64_t i = 0; i < count; ++i)
      out[i] = code_of<T>(value(i, run.scale[i]), lo, hi, zero);
  }
}

template <typename T>
[[gnu::always_inline]] inline void quantize(const QuantizeRun& run, const float* x,
                                            std::int64_t count, T* out) {
  fill(
      run, count, [x](std::int64_t i, float scale) { return x[i] / scale; }, out);
}

template <typename T>
[[gnu::always_inline]] inline void requantize(const QuantizeRun& run, const std::int32_t* sums,
                                              std::int64_t count, T* out) {
  fill(
      run, count,
      [sums](std::int64_t i, float factor) { return static_cast<float>(sums[i]) * factor; }, out);
}

// The difference of two 32-bit integers is exact in double.
template <typename T>
[[gnu::always_inline]] inline void dequantize(const T* codes, std::int64_t count, float scale,
                                              std::int32_t zero, float* out) {
  using Wide = std::conditional_t<sizeof(T) == 1, std::int32_t, double>;
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<float>(static_cast<Wide>(codes[i]) - static_cast<Wide>(zero)) * scale;
}

}  // namespace

INTAGLIO_CLONES void quantize_run(const QuantizeRun& run, const float* x, std::int64_t count,
                                  std::uint8_t* out) {
  quantize(run, x, count, out);
}
INTAGLIO_CLONES void quantize_run(const QuantizeRun& run, const float* x, std::int64_t count,
                                  std::int8_t* out) {
  quantize(run, x, count, out);
}
INTAGLIO_CLONES void quantize_run(const QuantizeRun& run, const float* x, std::int64_t count,
                                  std::int32_t* out) {
  quantize(run, x, count, out);
}

INTAGLIO_CLONES void dequantize_run(const std::uint8_t* codes, std::int64_t count, float scale,
                                    std::int32_t zero, float* out) {
  dequantize(codes, count, scale, zero, out);
}
INTAGLIO_CLONES void dequantize_run(const std::int8_t* codes, std::int64_t count, float scale,
                                    std::int32_t zero, float* out) {
  dequantize(codes, count, scale, zero, out);
}
INTAGLIO_CLONES void dequantize_run(const std::int32_t* codes, std::int64_t count, float scale,
                                    std::int32_t zero, float* out) {
  dequantize(codes, count, scale, zero, out);
}

INTAGLIO_CLONES void requantize_run(const QuantizeRun& run, const std::int32_t* sums,
                                    std::int64_t count, std::uint8_t* out) {
  requantize(run, sums, count, out);
}
INTAGLIO_CLONES void requantize_run(const QuantizeRun& run, const std::int32_t* sums,
                                    std::int64_t count, std::int8_t* out) {
  requantize(run, sums, count, out);
}

}  // namespace intaglio
