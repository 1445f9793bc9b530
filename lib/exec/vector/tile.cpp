#include "lib/exec/vector/tile.h"

#include "lib/base/simd.h"

namespace intaglio {
namespace {

// Past the caches where there is an instruction for it that needs no more than the vectors.
template <int bytes>
[[gnu::always_inline]] inline void store(float* to, typename VectorOf<float, bytes>::type v,
                                         bool stream) {
  using Vector = typename VectorOf<float, bytes>::type;  // at any address
#if defined(__x86_64__)
  if (bytes == 64 && stream) {
    asm volatile("vmovntps %1, %0" : "=m"(*reinterpret_cast<Vector*>(to)) : "v"(v));
    return;
  }
#endif
  *reinterpret_cast<Vector*>(to) = v;
}

// Three rows share a pointer, so that all addresses stay in registers. The arguments are a copy, so
// that no store can change them.
template <int rows, int vectors, int bytes>
[[gnu::always_inline]] inline void tile(const TileArgs t) {
  using Vector = typename VectorOf<float, bytes>::type;
  constexpr int width = bytes / 4, bases = (rows + 2) / 3;
  Vector sum[rows][vectors];
#pragma GCC unroll 2
  for (int j = 0; j < vectors; ++j) {
    const Vector start = *reinterpret_cast<const Vector*>(t.bias + j * width);
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) sum[i][j] = start;
  }
  const float* w = t.w;
  // One line a step of what is needed soon, or all of these weights, which come from far away.
  const float* near = t.ahead != nullptr ? t.ahead : w + 32 * width;
  const std::int64_t pace = t.ahead != nullptr ? width : 2 * width, other = pace - width;
  for (const std::int64_t run : t.runs) {
    const float* x[bases];
#pragma GCC unroll 4
    for (int i = 0; i < bases; ++i) x[i] = t.x + run + 3 * i * t.pitch;
    for (std::int64_t k = 0; k < t.length; ++k, w += vectors * width) {
      Vector right[vectors];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) right[j] = *reinterpret_cast<const Vector*>(w + j * width);
      if (vectors == 2) {
        __builtin_prefetch(near);
        if (bytes == 64) __builtin_prefetch(near + other);
        near += pace;
      }
#pragma GCC unroll 12
      for (int i = 0; i < rows; ++i) {
        const float left = x[i / 3][i % 3 * t.pitch + k];
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
      }
    }
  }
  Ending ending = t.ending;
  asm("" : "+m"(ending));  // read behind the loop, whose registers are all taken
  const VectorEnding<bytes> ended(ending);
#pragma GCC unroll 12
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j)
      store<bytes>(t.y + i * t.row + j * t.second, ended(sum[i][j]), t.stream);
}

template <int most, int vectors, int bytes, int rows = most>
[[gnu::always_inline]] inline void tile_of(std::int64_t wanted, const TileArgs& t) {
  if (wanted == rows) return tile<rows, vectors, bytes>(t);
  if constexpr (rows > 1) tile_of<most, vectors, bytes, rows - 1>(wanted, t);
}

// Up to `most` rows, and one or two vectors of columns.
template <int most, int bytes>
[[gnu::always_inline]] inline void any_tile(std::int64_t rows, std::int64_t vectors,
                                            const TileArgs& t) {
  vectors == 2 ? tile_of<most, 2, bytes>(rows, t) : tile_of<most, 1, bytes>(rows, t);
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void run_avx512(std::int64_t rows, std::int64_t vectors,
                                                   const TileArgs& t) {
  any_tile<12, 64>(rows, vectors, t);
}
__attribute__((target("avx2,fma"))) void run_avx2(std::int64_t rows, std::int64_t vectors,
                                                  const TileArgs& t) {
  any_tile<6, 32>(rows, vectors, t);
}
#endif
void run_baseline(std::int64_t rows, std::int64_t vectors, const TileArgs& t) {
  any_tile<4, 16>(rows, vectors, t);
}

TileMachine detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return {12, 16, run_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {6, 8, run_avx2};
#endif
  return {4, 4, run_baseline};
}

}  // namespace

const TileMachine& tile_machine() {
  static const TileMachine found = detect();
  return found;
}

bool streams(const float* y, std::int64_t rows, std::int64_t row) {
  constexpr std::int64_t floats_of_caches = 4 * 1024 * 1024;
  return rows * row > floats_of_caches && row % TileMachine::max_width == 0 &&
         reinterpret_cast<std::uintptr_t>(y) % 64 == 0;
}

void end_of_stream() {
#if defined(__x86_64__)
  asm volatile("sfence" ::: "memory");
#endif
}

}  // namespace intaglio
