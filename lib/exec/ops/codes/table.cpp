#include "lib/exec/ops/codes/table.h"

#include <algorithm>
#include <cstdlib>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#include <immintrin.h>

namespace intaglio {

bool has_code_tables() {
  return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw");
}

__attribute__((target("avx512f,avx512bw,avx512vbmi"))) void run_code_table(
    const std::uint8_t* codes, std::int64_t count, const std::uint8_t* table, std::uint8_t* out) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64),
                t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (std::int64_t i = 0; i < count; i += 64) {
    const std::int64_t left = std::min<std::int64_t>(count - i, 64);
    const __mmask64 mask = ~__mmask64{0} >> (64 - left);
    const __m512i x = _mm512_maskz_loadu_epi8(mask, codes + i);
    // Each permutation looks at seven bits of the code; the eighth says which of them counts.
    const __m512i lower = _mm512_permutex2var_epi8(t0, x, t1);
    const __m512i upper = _mm512_permutex2var_epi8(t2, x, t3);
    _mm512_mask_storeu_epi8(out + i, mask,
                            _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), lower, upper));
  }
}

}  // namespace intaglio

#else

namespace intaglio {

bool has_code_tables() { return false; }
void run_code_table(const std::uint8_t*, std::int64_t, const std::uint8_t*, std::uint8_t*) {
  std::abort();
}

}  // namespace intaglio

#endif
