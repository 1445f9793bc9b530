// Vector code without intrinsics: GCC's vector type, and one compilation per generation of x86.
#pragma once

#include <cstdint>

// Put before a plain function whose loops are hot: it is compiled for AVX-512, AVX2 and the
// baseline, and the loader takes the best one. The mechanism (ifunc) runs before sanitizers are set
// up.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define INTAGLIO_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define INTAGLIO_CLONES
#endif

namespace intaglio {

// A vector of so many bytes, at any address that suits T.
template <typename T, int bytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));
};

// Sixteen floats, or integers, at any address; the compiler splits them where registers are
// narrower.
typedef float Vector16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef std::int32_t Integers16 __attribute__((vector_size(64), aligned(4), may_alias));
inline constexpr std::int64_t vector_width = 16;

}  // namespace intaglio
