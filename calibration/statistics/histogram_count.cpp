// The loop that calibration spends its time in: one bin number and one increment for each value.
//
// Increments of one address wait for each other, so that values which repeat (the upper end of a
// Clip, runs of equal pixels) would cost several times as much as others. Four tables in turn hide
// most of that; zeros go to slots of their own, in turn as well, or nowhere with AVX-512, which
// leaves them out at once.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "calibration/statistics/histogram.h"
#include "lib/base/simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace intaglio {
namespace {

constexpr std::size_t capacity = Histogram::capacity;
constexpr std::size_t zero_slots = 16;
constexpr std::size_t block = 512;  // a multiple of vector_width
constexpr std::size_t few = 8192;   // fewer values than this do not pay for folding four tables

struct Tables {
  std::array<std::array<std::uint32_t, capacity + zero_slots>, 4> counts{};
};

constexpr Integers16 turn = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

constexpr Vector16 below_zero = Vector16{} - 1e-30f;

// floor(x * inverse) modulo capacity. The product is exact unless it underflows, and then a
// negative value next to zero, which belongs to bin -1, would end in bin 0. The tiny number below
// zero mends that and changes no other.
INTAGLIO_CLONES
void find_slots(const float* x, std::size_t n, float inverse, std::int32_t* slots) {
  for (std::size_t i = 0; i < n; i += vector_width) {
    const Vector16 value = *reinterpret_cast<const Vector16*>(x + i);
    const Vector16 scaled = value * inverse + (value < Vector16{} ? below_zero : Vector16{});
    const Integers16 whole = __builtin_convertvector(scaled, Integers16);  // towards zero
    const Vector16 floor_or_above = __builtin_convertvector(whole, Vector16);
    const Integers16 bin = whole - (floor_or_above > scaled ? Integers16{} + 1 : Integers16{});
    const Integers16 slot = value == Vector16{} ? turn + static_cast<std::int32_t>(capacity)
                                                : bin & static_cast<std::int32_t>(capacity - 1);
    *reinterpret_cast<Integers16*>(slots + i) = slot;
  }
}

#if defined(__x86_64__)
// The same with AVX-512, of the values other than zero alone: returns how many. Writes up to a
// vector beyond them.
__attribute__((target("avx512f,popcnt"))) std::size_t find_slots_avx512(const float* x,
                                                                        std::size_t n,
                                                                        float inverse,
                                                                        std::int32_t* slots) {
  const __m512 factor = _mm512_set1_ps(inverse), zero = _mm512_setzero_ps(),
               below = _mm512_set1_ps(-1e-30f);
  const __m512i last = _mm512_set1_epi32(static_cast<std::int32_t>(capacity - 1));
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; i += vector_width) {
    const __m512 value = _mm512_loadu_ps(x + i);
    __m512 scaled = _mm512_mul_ps(value, factor);
    scaled = _mm512_mask_add_ps(scaled, _mm512_cmp_ps_mask(value, zero, _CMP_LT_OQ), scaled, below);
    const __mmask16 counted = _mm512_cmp_ps_mask(value, zero, _CMP_NEQ_UQ);
    const __m512i bin =
        _mm512_maskz_cvt_roundps_epi32(counted, scaled, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    _mm512_storeu_si512(slots + found,
                        _mm512_maskz_compress_epi32(counted, _mm512_and_si512(bin, last)));
    found += static_cast<std::size_t>(__builtin_popcount(counted));
  }
  return found;
}
const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("popcnt");
#endif

// Slots of n values, a multiple of vector_width; returns how many there are to increment.
std::size_t slots_of(const float* x, std::size_t n, float inverse, std::int32_t* slots,
                     [[maybe_unused]] bool avx512) {
#if defined(__x86_64__)
  if (avx512 && has_avx512) return find_slots_avx512(x, n, inverse, slots);
#endif
  find_slots(x, n, inverse, slots);
  return n;
}

void increment(const std::int32_t* slots, std::size_t n, Tables& t) {
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    ++t.counts[0][static_cast<std::size_t>(slots[i])];
    ++t.counts[1][static_cast<std::size_t>(slots[i + 1])];
    ++t.counts[2][static_cast<std::size_t>(slots[i + 2])];
    ++t.counts[3][static_cast<std::size_t>(slots[i + 3])];
  }
  for (; i < n; ++i) ++t.counts[0][static_cast<std::size_t>(slots[i])];
}

INTAGLIO_CLONES
void fold(Tables& t, std::uint64_t* counts) {
  for (std::size_t k = 0; k < capacity; ++k)
    counts[k] += std::uint64_t{t.counts[0][k]} + t.counts[1][k] + t.counts[2][k] + t.counts[3][k];
  t = {};
}

}  // namespace

void count_bins_plain(std::span<const float> values, float inverse_width, std::uint64_t* counts) {
  for (const float x : values) {
    if (x == 0) continue;
    const double bin = std::floor(static_cast<double>(x) * inverse_width);
    ++counts[static_cast<std::uint64_t>(static_cast<std::int64_t>(bin)) % capacity];
  }
}

void count_bins(std::span<const float> values, float inverse_width, std::uint64_t* counts,
                bool avx512) {
  thread_local Tables tables;
  std::array<std::int32_t, block + vector_width> slots;
  const bool small = values.size() < few;
  std::size_t folded = 0;
  for (std::size_t at = 0; at < values.size(); at += block) {
    const std::size_t n = std::min(block, values.size() - at);
    const std::size_t whole = n - n % vector_width;
    std::size_t found = slots_of(values.data() + at, whole, inverse_width, slots.data(), avx512);
    if (whole < n) {  // the last few, with zeros behind them
      std::array<float, vector_width> rest{};
      std::copy(values.begin() + static_cast<std::ptrdiff_t>(at + whole),
                values.begin() + static_cast<std::ptrdiff_t>(at + n), rest.begin());
      found += slots_of(rest.data(), vector_width, inverse_width, slots.data() + found, avx512);
    }
    if (small) {
      for (std::size_t i = 0; i < found; ++i)
        if (const auto slot = static_cast<std::size_t>(slots[i]); slot < capacity) ++counts[slot];
      continue;
    }
    increment(slots.data(), found, tables);
    if (at - folded >= (std::size_t{1} << 31)) {  // long before 32 bits overflow
      fold(tables, counts);
      folded = at;
    }
  }
  if (!small) fold(tables, counts);
}

}  // namespace intaglio
