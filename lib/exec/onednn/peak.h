#pragma once

namespace intaglio {

// The GFLOP/s that one core reaches on a large f32 matrix product, the best of several: what fast
// kernels are measured against. Takes about a second.
double peak_gflops();

}  // namespace intaglio
