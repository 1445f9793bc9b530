#include "lib/exec/vector/codes/tile.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

// GCC 12 warns of its own headers wherever they are inlined (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#define INTAGLIO_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

namespace intaglio {

bool has_code_tiles() {
  return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

namespace {

// Codes less their zero point, as 32-bit numbers that are not saturated yet, but for those that
// would be too large for the conversion: it makes the least number of them.
INTAGLIO_VNNI [[gnu::always_inline]] inline __m512i rounded(__m512i sums, const float* multipliers,
                                                            const CodeEnding& e) {
  const __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(multipliers));
  return _mm512_cvtps_epi32(_mm512_min_ps(v, _mm512_set1_ps(e.hi)));
}

// Four times sixteen of them as bytes; in each quarter of the result, four of each. Packing
// saturates, and so does adding the zero point in between: the codes are those of clamping last.
INTAGLIO_VNNI [[gnu::always_inline]] inline __m512i packed(const __m512i (&c)[4],
                                                           const CodeEnding& e) {
  const __m512i zero = _mm512_set1_epi16(static_cast<std::int16_t>(e.zero));
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(c[0], c[1]), zero);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(c[2], c[3]), zero);
  return e.is_signed ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high);
}

INTAGLIO_VNNI [[gnu::always_inline]] inline __m512i broadcast_quad(const std::uint8_t* x) {
  std::int32_t quad;
  std::memcpy(&quad, x, sizeof quad);
  return _mm512_set1_epi32(quad);
}

// Twelve rows by three pointers and two distances, as many as addresses can be made of without
// running out of registers.
struct RowPointers {
  const std::uint8_t *first, *fifth, *ninth;
  std::int64_t pitch, thrice;

  RowPointers(const std::uint8_t* x, std::int64_t p)
      : first(x), fifth(x + 4 * p), ninth(x + 8 * p), pitch(p), thrice(3 * p) {}
  [[gnu::always_inline]] const std::uint8_t* row(int i) const {
    const std::uint8_t* base = i < 4 ? first : i < 8 ? fifth : ninth;
    return i % 4 == 3 ? base + thrice : base + i % 4 * pitch;
  }
  [[gnu::always_inline]] void advance(std::int64_t bytes) {
    first += bytes;
    fifth += bytes;
    ninth += bytes;
  }
};

// sum += products of four bytes in each lane. (GCC 12 makes its builtin use the first sixteen
// registers alone, and keeps the sums that do not fit there in memory.)
INTAGLIO_VNNI [[gnu::always_inline]] inline void add_products(__m512i& sum, __m512i x, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
}

// Sixty-four codes at a time: of two rows, or of four when one vector holds the columns.
template <int rows, int vectors>
INTAGLIO_VNNI [[gnu::always_inline]] inline void store(const CodeTile& t,
                                                       const __m512i (&sums)[rows][vectors]) {
  constexpr int together = 4 / vectors;
  const __m512i by_row = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const auto mask = static_cast<__mmask32>(~std::uint32_t{0} >> (32 - t.columns));
#pragma GCC unroll 12
  for (int i = 0; i < rows; i += together) {
    __m512i codes[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k)
      codes[k] = rounded(sums[std::min(i + k / vectors, rows - 1)][k % vectors],
                         t.ending.multipliers + k % vectors * 16, t.ending);
    const __m512i bytes = _mm512_permutexvar_epi32(by_row, packed(codes, t.ending));
    std::uint8_t* y = t.y + i * t.row;
    if constexpr (vectors == 2) {
      _mm256_mask_storeu_epi8(y, mask, _mm512_castsi512_si256(bytes));
      if (i + 1 < rows)
        _mm256_mask_storeu_epi8(y + t.row, mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      const auto few = static_cast<__mmask16>(mask);
      _mm_mask_storeu_epi8(y, few, _mm512_castsi512_si128(bytes));
      if (i + 1 < rows) _mm_mask_storeu_epi8(y + t.row, few, _mm512_extracti32x4_epi32(bytes, 1));
      if (i + 2 < rows)
        _mm_mask_storeu_epi8(y + 2 * t.row, few, _mm512_extracti32x4_epi32(bytes, 2));
      if (i + 3 < rows)
        _mm_mask_storeu_epi8(y + 3 * t.row, few, _mm512_extracti32x4_epi32(bytes, 3));
    }
  }
}

template <int rows, int vectors>
INTAGLIO_VNNI void tile(const CodeTile& t) {
  __m512i sums[rows][vectors];
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) sums[i][v] = _mm512_loadu_si512(t.start + 16 * v);
  const std::int8_t* w = t.w;
  for (const std::int64_t run : t.runs) {
    RowPointers x(t.x + run, t.pitch);
    for (std::int64_t q = 0; q < t.quads; ++q, x.advance(4), w += 64 * vectors) {
      __m512i weights[vectors];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) weights[v] = _mm512_loadu_si512(w + 64 * v);
#pragma GCC unroll 12
      for (int i = 0; i < rows; ++i) {
        const __m512i quad = broadcast_quad(x.row(i));
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v) add_products(sums[i][v], quad, weights[v]);
      }
    }
  }
  store<rows, vectors>(t, sums);
}

template <int rows>
void either(const CodeTile& t) {
  t.columns > 16 ? tile<rows, 2>(t) : tile<rows, 1>(t);
}

}  // namespace

void run_code_tile(const CodeTile& t, int rows) {
  static constexpr void (*by_rows[])(const CodeTile&) = {
      either<1>, either<2>, either<3>, either<4>,  either<5>,  either<6>,
      either<7>, either<8>, either<9>, either<10>, either<11>, either<12>};
  by_rows[rows - 1](t);
}

namespace {

__mmask64 mask_of(const CodeDepthwise& b) { return ~__mmask64{0} >> (64 - b.bytes); }

// Sums of 64 bytes, in the order in which four taps interleave.
struct Sums {
  __m512i v[4];
};

INTAGLIO_VNNI [[gnu::always_inline]] inline Sums first_sums(const CodeDepthwise& b) {
  return {{_mm512_loadu_si512(b.start), _mm512_loadu_si512(b.start + 16),
           _mm512_loadu_si512(b.start + 32), _mm512_loadu_si512(b.start + 48)}};
}

// Four taps of every byte next to each other.
INTAGLIO_VNNI [[gnu::always_inline]] inline Sums interleaved(const std::uint8_t* x,
                                                             const std::int64_t* taps,
                                                             __mmask64 mask) {
  const __m512i t0 = _mm512_maskz_loadu_epi8(mask, x + taps[0]),
                t1 = _mm512_maskz_loadu_epi8(mask, x + taps[1]),
                t2 = _mm512_maskz_loadu_epi8(mask, x + taps[2]),
                t3 = _mm512_maskz_loadu_epi8(mask, x + taps[3]);
  const __m512i low01 = _mm512_unpacklo_epi8(t0, t1), high01 = _mm512_unpackhi_epi8(t0, t1);
  const __m512i low23 = _mm512_unpacklo_epi8(t2, t3), high23 = _mm512_unpackhi_epi8(t2, t3);
  return {{_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
           _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)}};
}

INTAGLIO_VNNI [[gnu::always_inline]] inline void multiply(Sums& sums, const Sums& x,
                                                          const std::int8_t* w) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) add_products(sums.v[i], x.v[i], _mm512_loadu_si512(w + 64 * i));
}

INTAGLIO_VNNI [[gnu::always_inline]] inline void store(const Sums& sums, const CodeEnding& e,
                                                       __mmask64 mask, std::uint8_t* y) {
  const float* m = e.multipliers;
  const __m512i codes[4] = {rounded(sums.v[0], m, e), rounded(sums.v[1], m + 16, e),
                            rounded(sums.v[2], m + 32, e), rounded(sums.v[3], m + 48, e)};
  _mm512_mask_storeu_epi8(y, mask, packed(codes, e));
}

}  // namespace

INTAGLIO_VNNI void run_code_depthwise(const CodeDepthwise& b) {
  const __mmask64 mask = mask_of(b);
  Sums sums = first_sums(b);
  for (std::int64_t f = 0; f < b.fours; ++f)
    multiply(sums, interleaved(b.x, b.taps + 4 * f, mask), b.w + 256 * f);
  store(sums, b.ending, mask, b.y);
}

INTAGLIO_VNNI void run_code_depthwise_pair(const CodeDepthwise& b, std::int64_t quads,
                                           std::int64_t y_pitch) {
  const __mmask64 mask = mask_of(b);
  Sums upper = first_sums(b), lower = upper;
  for (std::int64_t f = 0; f < b.fours + quads; ++f) {
    const Sums x = interleaved(b.x, b.taps + 4 * f, mask);
    if (f < b.fours) multiply(upper, x, b.w + 256 * f);
    if (f >= quads) multiply(lower, x, b.w + 256 * (f - quads));
  }
  store(upper, b.ending, mask, b.y);
  store(lower, b.ending, mask, b.y + y_pitch);
}

}  // namespace intaglio

#else

namespace intaglio {

bool has_code_tiles() { return false; }
void run_code_tile(const CodeTile&, int) { std::abort(); }
void run_code_depthwise(const CodeDepthwise&) { std::abort(); }
void run_code_depthwise_pair(const CodeDepthwise&, std::int64_t, std::int64_t) { std::abort(); }

}  // namespace intaglio

#endif
