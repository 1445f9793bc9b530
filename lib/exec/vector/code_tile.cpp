#include "lib/exec/vector/code_tile.h"

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

// Codes as 32-bit numbers. Clamping comes first: it keeps the conversion in range.
INTAGLIO_VNNI [[gnu::always_inline]] inline __m512i codes_of(__m512i sums, const float* multipliers,
                                                             const CodeEnding& e) {
  __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(multipliers));
  v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(e.lo)), _mm512_set1_ps(e.hi));
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(e.zero));
}

INTAGLIO_VNNI [[gnu::always_inline]] inline __m512i broadcast_quad(const std::uint8_t* x) {
  std::int32_t quad;
  std::memcpy(&quad, x, sizeof quad);
  return _mm512_set1_epi32(quad);
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
    const std::uint8_t* x = t.x + run;
    for (std::int64_t q = 0; q < t.quads; ++q, x += 4, w += 64 * vectors) {
      __m512i weights[vectors];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) weights[v] = _mm512_loadu_si512(w + 64 * v);
#pragma GCC unroll 12
      for (int i = 0; i < rows; ++i) {
        const __m512i quad = broadcast_quad(x + i * t.pitch);
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v)
          sums[i][v] = _mm512_dpbusd_epi32(sums[i][v], quad, weights[v]);
      }
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      const std::int64_t left = t.columns - 16 * v;
      const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffff : (1 << left) - 1);
      const __m512i codes = codes_of(sums[i][v], t.ending.multipliers + 16 * v, t.ending);
      _mm512_mask_cvtepi32_storeu_epi8(t.y + i * t.row + 16 * v, mask, codes);
    }
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

INTAGLIO_VNNI void run_code_depthwise(const CodeDepthwise& b) {
  const __mmask64 mask = b.bytes >= 64 ? ~__mmask64{0} : (__mmask64{1} << b.bytes) - 1;
  __m512i s0 = _mm512_loadu_si512(b.start), s1 = _mm512_loadu_si512(b.start + 16),
          s2 = _mm512_loadu_si512(b.start + 32), s3 = _mm512_loadu_si512(b.start + 48);
  const std::int8_t* w = b.w;
  for (std::int64_t f = 0; f < b.fours; ++f, w += 256) {
    const std::int64_t* taps = b.taps + 4 * f;
    const __m512i t0 = _mm512_maskz_loadu_epi8(mask, b.x + taps[0]),
                  t1 = _mm512_maskz_loadu_epi8(mask, b.x + taps[1]),
                  t2 = _mm512_maskz_loadu_epi8(mask, b.x + taps[2]),
                  t3 = _mm512_maskz_loadu_epi8(mask, b.x + taps[3]);
    const __m512i low01 = _mm512_unpacklo_epi8(t0, t1), high01 = _mm512_unpackhi_epi8(t0, t1);
    const __m512i low23 = _mm512_unpacklo_epi8(t2, t3), high23 = _mm512_unpackhi_epi8(t2, t3);
    s0 = _mm512_dpbusd_epi32(s0, _mm512_unpacklo_epi16(low01, low23), _mm512_loadu_si512(w));
    s1 = _mm512_dpbusd_epi32(s1, _mm512_unpackhi_epi16(low01, low23), _mm512_loadu_si512(w + 64));
    s2 =
        _mm512_dpbusd_epi32(s2, _mm512_unpacklo_epi16(high01, high23), _mm512_loadu_si512(w + 128));
    s3 =
        _mm512_dpbusd_epi32(s3, _mm512_unpackhi_epi16(high01, high23), _mm512_loadu_si512(w + 192));
  }
  const float* m = b.ending.multipliers;
  const __m512i low = _mm512_packs_epi32(codes_of(s0, m, b.ending), codes_of(s1, m + 16, b.ending));
  const __m512i high =
      _mm512_packs_epi32(codes_of(s2, m + 32, b.ending), codes_of(s3, m + 48, b.ending));
  const __m512i codes =
      b.ending.is_signed ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high);
  _mm512_mask_storeu_epi8(b.y, mask, codes);
}

}  // namespace intaglio

#else

namespace intaglio {

bool has_code_tiles() { return false; }
void run_code_tile(const CodeTile&, int) { std::abort(); }
void run_code_depthwise(const CodeDepthwise&) { std::abort(); }

}  // namespace intaglio

#endif
