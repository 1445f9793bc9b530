// Patches, their moments, and the codes that they lead to.
#include "calibration/refine/gptq_row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "lib/exec/executor.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::random_tensor;

struct Case {
  const char* name;
  const char* body;
  Shape input;
};

class EveryWindow : public ::testing::TestWithParam<Case> {};

// All patches, times the weights, are what the layer computes.
TEST_P(EveryWindow, PatchesTimesWeightsAreTheResult) {
  const Model model = testing::random_model(GetParam().body);
  const auto layer = layer_of(*model.graph().nodes().front());
  ASSERT_TRUE(layer);
  const Tensor x = random_tensor(GetParam().input, 9);
  const Tensor y = Executor(model.graph()).run(std::vector<Tensor>{x})[0];
  const auto w = layer->weights->constant().data<float>();
  const std::size_t positions = y.data<float>().size() / layer->outputs;
  const std::size_t area =
      layer->axis == 1 ? static_cast<std::size_t>(product(y.shape(), 2, y.shape().size())) : 1;
  for (const bool last : {false, true}) {
    if (last && (x.rank() < 4 || layer->axis != 1)) continue;
    for (std::size_t g = 0; g < layer->groups; ++g) {
      Patches patches;
      add_patches(*layer, g, last ? to_channels_last(x) : x, 1 << 20, patches);
      ASSERT_EQ(patches.rows(), positions);
      for (std::size_t r = 0; r < positions; ++r)
        for (std::size_t j = 0; j < layer->outputs_per_group(); ++j) {
          const std::size_t o = g * layer->outputs_per_group() + j;
          double sum =
              layer->bias ? static_cast<double>(layer->bias->constant().data<float>()[o]) : 0;
          for (std::size_t i = 0; i < layer->inputs_per_group(); ++i)
            for (std::size_t k = 0; k < layer->kernel; ++k)
              sum += static_cast<double>(w[layer->index(o, i, k)]) *
                     static_cast<double>(patches.values[r * patches.width + i * layer->kernel + k]);
          const std::size_t at = (r / area * layer->outputs + o) * area + r % area;
          ASSERT_NEAR(sum, y.data<float>()[at], 1e-4) << "output " << o << ", position " << r;
        }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Layers, EveryWindow,
    ::testing::Values(
        Case{"Conv",
             "(float[2,3,7,6] x, float[4,3,3,3] w, float[4] b) => (float[] y) { y = "
             "Conv<pads=[1,0,2,1], strides=[2,1]>(x, w, b) }",
             {2, 3, 7, 6}},
        Case{"Dilated",
             "(float[1,2,9,9] x, float[3,2,3,3] w) => (float[] y) { y = Conv<dilations=[2,3], "
             "auto_pad=\"SAME_UPPER\">(x, w) }",
             {1, 2, 9, 9}},
        Case{"Grouped",
             "(float[1,4,5,5] x, float[6,2,3,3] w, float[6] b) => (float[] y) { y = "
             "Conv<group=2>(x, w, b) }",
             {1, 4, 5, 5}},
        Case{"Depthwise",
             "(float[1,4,5,5] x, float[4,1,3,3] w, float[4] b) => (float[] y) { y = Conv<group=4, "
             "pads=[1,1,1,1]>(x, w, b) }",
             {1, 4, 5, 5}},
        Case{"OneAxis",
             "(float[2,3,12] x, float[4,3,5] w) => (float[] y) { y = Conv<strides=[2]>(x, w) }",
             {2, 3, 12}},
        Case{"Transposed",
             "(float[1,3,5,4] x, float[3,4,3,3] w, float[4] b) => (float[] y) { y = "
             "ConvTranspose<strides=[2,2], pads=[1,1,0,1]>(x, w, b) }",
             {1, 3, 5, 4}},
        Case{"TransposedGroups",
             "(float[1,4,5,4] x, float[4,2,2,3] w) => (float[] y) { y = ConvTranspose<group=2, "
             "strides=[1,3], dilations=[2,1]>(x, w) }",
             {1, 4, 5, 4}},
        Case{"Gemm",
             "(float[5,4] x, float[3,4] w, float[3] b) => (float[] y) { y = Gemm<transB=1>(x, w, "
             "b) }",
             {5, 4}},
        Case{"MatMul",
             "(float[2,3,4] x, float[4,5] w) => (float[] y) { y = MatMul(x, w) }",
             {2, 3, 4}}),
    [](const auto& c) { return c.param.name; });

Patches random_patches(std::size_t width, std::size_t rows, unsigned seed = 3) {
  const Tensor t = random_tensor(
      {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(width)}, seed, -1, 3);
  return {width, std::vector<float>(t.data<float>().begin(), t.data<float>().end())};
}

TEST(SecondMoments, AreThoseOfPlainLoops) {
  const Patches all = random_patches(70, 500);
  for (const std::size_t threads : {1, 3}) {
    MomentSums sums(70);
    sums.add({70, {all.values.begin(), all.values.begin() + 70 * 200}}, threads);
    sums.add({70, {all.values.begin() + 70 * 200, all.values.end()}}, threads);
    const SecondMoments h = std::move(sums).centred();
    std::vector<double> mean(70);
    for (std::size_t r = 0; r < 500; ++r)
      for (std::size_t i = 0; i < 70; ++i)
        mean[i] += static_cast<double>(all.values[r * 70 + i]) / 500;
    for (std::size_t i = 0; i < 70; i += 3)
      for (std::size_t j = 0; j < 70; ++j) {
        double expected = 0;
        for (std::size_t r = 0; r < 500; ++r)
          expected += (static_cast<double>(all.values[r * 70 + i]) - mean[i]) *
                      (static_cast<double>(all.values[r * 70 + j]) - mean[j]);
        ASSERT_NEAR(h.at(i, j), expected, 1e-2) << i << ", " << j;
      }
  }
}

SecondMoments moments(const Patches& patches) {
  MomentSums sums(patches.width);
  sums.add(patches, 1);
  return std::move(sums).centred();
}

TEST(Factor, IsTheRootOfTheDampedMoments) {
  const SecondMoments h = moments(random_patches(75, 300));  // more than two blocks
  double trace = 0;
  for (std::size_t i = 0; i < 75; ++i) trace += h.at(i, i);
  for (const std::size_t threads : {1, 4}) {
    const Factor f(h, threads);
    const auto u = [&](std::size_t i, std::size_t j) {
      return std::sqrt(f.weight(i)) * (i == j  ? 1.0
                                       : i < j ? static_cast<double>(f.row(i)[j])
                                               : 0.0);
    };
    for (std::size_t i = 0; i + 1 < 75; ++i)
      EXPECT_LE(h.at(f.order()[i], f.order()[i]), h.at(f.order()[i + 1], f.order()[i + 1]));
    for (std::size_t i = 0; i < 75; ++i)
      for (std::size_t j = i; j < 75; j += 7) {
        double sum = 0;
        for (std::size_t k = 0; k <= i; ++k) sum += u(k, i) * u(k, j);
        const double damping = i == j ? 0.01 * trace / 75 : 0;
        ASSERT_NEAR(sum, h.at(f.order()[i], f.order()[j]) + damping, 1e-3 * trace / 75);
      }
  }
}

TEST(RoundRow, WithoutMomentsEveryCodeIsTheNearest) {
  const Factor f(SecondMoments{9, std::vector<double>(81)}, 1);
  const Tensor w = random_tensor({9}, 4, -2, 2);
  const RoundedCodes row = round_row(f, {w.data<float>(), 0.1f, 0}, {-127, 127});
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_EQ(row.codes[i], std::nearbyint(w.data<float>()[i] / 0.1f));
  EXPECT_EQ(row.error, row.nearest);
}

// |X (q s - w)|^2 with the damping, in plain loops.
double cost(const SecondMoments& h, std::span<const float> w,
            const std::vector<std::int32_t>& codes, double scale) {
  double trace = 0, sum = 0;
  for (std::size_t i = 0; i < h.width; ++i) trace += h.at(i, i);
  for (std::size_t i = 0; i < h.width; ++i)
    for (std::size_t j = 0; j < h.width; ++j) {
      const double a = codes[i] * scale - static_cast<double>(w[i]),
                   b = codes[j] * scale - static_cast<double>(w[j]);
      sum += (h.at(i, j) + (i == j ? 0.01 * trace / static_cast<double>(h.width) : 0)) * a * b;
    }
  return sum;
}

TEST(RoundRow, IsNeverWorseThanTheNearestAndCloseToTheBest) {
  double best_sum = 0, made_sum = 0, nearest_sum = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    Patches patches = random_patches(5, 60, seed);
    for (std::size_t r = 0; r < 60; ++r)  // correlated inputs
      for (std::size_t i = 1; i < 5; ++i) patches.values[r * 5 + i] += patches.values[r * 5];
    const SecondMoments h = moments(patches);
    const Tensor w = random_tensor({5}, 100 + seed, -1, 1);
    const float scale = 0.3f;
    const RoundedCodes row = round_row(Factor(h, 1), {w.data<float>(), scale, 0}, {-4, 3});
    EXPECT_NEAR(row.error, cost(h, w.data<float>(), row.codes, static_cast<double>(scale)),
                1e-3 * (1 + row.error));
    EXPECT_LE(row.error, row.nearest);
    double best = row.nearest;
    std::vector<std::int32_t> codes(5, -4);
    for (int n = 0; n < 8 * 8 * 8 * 8 * 8; ++n) {
      for (int i = 0, rest = n; i < 5; ++i, rest /= 8)
        codes[static_cast<std::size_t>(i)] = rest % 8 - 4;
      best = std::min(best, cost(h, w.data<float>(), codes, static_cast<double>(scale)));
    }
    EXPECT_GE(row.error, best * (1 - 1e-3));
    best_sum += best, made_sum += row.error, nearest_sum += row.nearest;
  }
  EXPECT_LT(made_sum, 0.8 * nearest_sum);
  EXPECT_LT(made_sum, 1.5 * best_sum);
}

TEST(RoundRow, FewerPatchesThanWeightsAreDamped) {
  const SecondMoments h = moments(random_patches(40, 3));
  const Tensor w = random_tensor({40}, 4, -2, 2);
  const RoundedCodes row = round_row(Factor(h, 1), {w.data<float>(), 0.1f, 0}, {-127, 127});
  EXPECT_TRUE(std::isfinite(row.error));
  EXPECT_LE(row.error, row.nearest);
}

TEST(RoundRow, InfiniteMomentsMeanNearest) {
  SecondMoments h{2, {INFINITY, 0, 0, 1}};
  const std::vector<float> w = {0.26f, -0.31f};
  EXPECT_EQ(round_row(Factor(h, 1), {w, 0.1f, 0}, {-127, 127}).codes,
            (std::vector<std::int32_t>{3, -3}));
}

TEST(RoundRow, HasAZeroPoint) {
  const Factor f(SecondMoments{2, {1, 0, 0, 1}}, 1);
  const std::vector<float> w = {0.5f, -0.5f};
  EXPECT_EQ(round_row(f, {w, 0.01f, 128}, {0, 255}).codes, (std::vector<std::int32_t>{178, 78}));
}

}  // namespace
}  // namespace intaglio
