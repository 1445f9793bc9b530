#include "lib/exec/onednn/peak.h"

#include <algorithm>
#include <chrono>

#include "lib/exec/onednn/door.h"

namespace intaglio {

double peak_gflops() {
  using namespace onednn;
  constexpr std::int64_t n = 768;
  const auto desc = describe({n, n}, Layout::row_major);
  Tensor a(DType::f32, {n, n}), b(DType::f32, {n, n}), c(DType::f32, {n, n});
  std::ranges::fill(a.mutate<float>(), 0.5f);
  std::ranges::fill(b.mutate<float>(), 0.25f);
  dnnl::stream& queue = stream();
  const dnnl::matmul product(described<dnnl::matmul>({}, desc, desc, desc));
  double best = 0;
  for (int i = 0; i < 40; ++i) {
    const auto start = std::chrono::steady_clock::now();
    product.execute(queue, {{DNNL_ARG_SRC, bytes_of(desc, a.raw())},
                            {DNNL_ARG_WEIGHTS, bytes_of(desc, b.raw())},
                            {DNNL_ARG_DST, bytes_of(desc, c.raw_mutate())}});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2e-9 * n * n * n / took.count());
  }
  return best;
}

}  // namespace intaglio
