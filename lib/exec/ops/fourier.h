// The discrete Fourier transform of any length, in double precision: shared by DFT and STFT.
#pragma once

#include <complex>
#include <vector>

namespace intaglio {

// X[k] = sum over n of x[n] e^(-2 pi i k n / N), N being the length. inverse: with e^(+...) and
// divided by N. Mixed-radix Cooley-Tukey: N (p1 + p2 + ...) steps for the prime factors p of N.
std::vector<std::complex<double>> fourier(const std::vector<std::complex<double>>& x,
                                          bool inverse = false);

}  // namespace intaglio
