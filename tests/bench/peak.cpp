// Prints the GFLOP/s of a large matrix product on one core, for scripts/bench.
#include <cstdio>

#include "lib/exec/onednn/peak.h"

int main() { std::printf("%.1f\n", intaglio::peak_gflops()); }
