// DFT, STFT, window functions and mel weights.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "lib/base/error.h"
#include "lib/exec/ops/fourier.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

const TextModel head = TextModel().opset(20);

TEST(Spectrum, FourierIsTheSumOfItsDefinition) {
  for (const std::size_t n : {1u, 2u, 3u, 7u, 8u, 12u, 30u, 49u}) {
    std::vector<std::complex<double>> x(n);
    for (std::size_t i = 0; i < n; ++i)
      x[i] = {std::sin(1.0 + static_cast<double>(i * i)), std::cos(static_cast<double>(i))};
    const auto y = fourier(x), back = fourier(y, true);
    for (std::size_t k = 0; k < n; ++k) {
      std::complex<double> sum = 0;
      for (std::size_t i = 0; i < n; ++i)
        sum += x[i] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i * k % n) /
                                          static_cast<double>(n));
      EXPECT_NEAR(std::abs(y[k] - sum), 0, 1e-9) << n;
      EXPECT_NEAR(std::abs(back[k] - x[k]), 0, 1e-9) << n;
    }
  }
}

TEST(Spectrum, HalfOfARealSpectrumIsEnoughToGoBack) {
  const Tensor x = random_tensor({2, 10, 3, 1});
  const auto y =
      run_text(head.graph(R"((float[2,10,3,1] x) => (float[2,6,3,2] half, float[2,10,3,1] y) {
    axis = Constant <value = int64 {1}> ()
    half = DFT <onesided = 1> (x, , axis)
    y = DFT <onesided = 1, inverse = 1> (half, , axis)
  })"),
               {x});
  EXPECT_EQ(y[0].shape(), (Shape{2, 6, 3, 2}));
  EXPECT_TRUE(close(y[1], x, 1e-4, 1e-5));
}

TEST(Spectrum, StftTransformsWindowedFrames) {
  const auto y = run_text(head.graph(R"((float[1,8,1] x, float[4] w) => (float[1,3,3,2] y) {
    step = Constant <value = int64 {2}> ()
    y = STFT (x, step, w)
  })"),
                          {Tensor::of<float>({1, 8, 1}, {1, 1, 1, 1, 2, 2, 2, 2}),
                           Tensor::of<float>({4}, {1, 1, 1, 1})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 3, 3, 2}, {4, 0, 0, 0, 0, 0,   //
                                                           6, 0, -1, 1, 0, 0,  //
                                                           8, 0, 0, 0, 0, 0})));
  EXPECT_THROW(run_text(head.graph(R"((float[1,3,1] x, float[4] w) => (float[1,N,3,2] y) {
    step = Constant <value = int64 {2}> ()
    y = STFT (x, step, w)
  })"),
                        {random_tensor({1, 3, 1}), random_tensor({4})}),
               Error);
}

TEST(Spectrum, WindowFunctions) {
  const auto y = run_text(head.graph(R"((int64 n) => (float[N] hann, float[N] hamming, float[N] b) {
    hann = HannWindow (n)
    hamming = HammingWindow <periodic = 0> (n)
    b = BlackmanWindow <periodic = 0> (n)
  })"),
                          {Tensor::scalar<std::int64_t>(4)});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({4}, {0, 0.5, 1, 0.5})));
  EXPECT_TRUE(close(y[1], Tensor::of<float>({4}, {4 / 46.f, 35.5f / 46, 35.5f / 46, 4 / 46.f})));
  EXPECT_TRUE(close(y[2], Tensor::of<float>({4}, {0, 0.63, 0.63, 0})));
}

TEST(Spectrum, MelBandsOutsideOfTheSpectrumAreRefused) {
  const auto run = [](float upper) {
    return run_text(
        head.graph(R"((int64 bands, int64 n, int64 rate, float low, float high)
        => (float[N,M] y) { y = MelWeightMatrix (bands, n, rate, low, high) })"),
        {Tensor::scalar<std::int64_t>(8), Tensor::scalar<std::int64_t>(16),
         Tensor::scalar<std::int64_t>(8192), Tensor::scalar(0.0f), Tensor::scalar(upper)})[0];
  };
  EXPECT_EQ(run(4096).shape(), (Shape{9, 8}));
  EXPECT_THROW(run(40960), Error);
}

}  // namespace
}  // namespace intaglio::testing
