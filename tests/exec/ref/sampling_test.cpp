// Operators that read images at places of their own: GridSample, AffineGrid, RoiAlign, MaxRoiPool,
// MaxUnpool, DeformConv, Col2Im, CenterCropPad.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lib/base/error.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

const TextModel head = TextModel().opset(20);

Tensor sample(const std::string& attributes, std::initializer_list<float> points) {
  const Tensor x = Tensor::of<float>({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const auto count = static_cast<std::int64_t>(points.size() / 2);
  return run_text(
      head.graph("(float[1,1,2,3] x, float[1,1,N,2] p) => (float[1,1,1,N] y) { y = GridSample <" +
                 attributes + "> (x, p) }"),
      {x, Tensor::of<float>({1, 1, count, 2}, points)})[0];
}

TEST(Sampling, GridSampleInterpolatesAndPads) {
  // Corners lie at the centres of the outermost pixels; beyond is zero.
  EXPECT_TRUE(close(sample("align_corners = 1", {-1, -1, 0, 0, 1, 1, -2, -1}),
                    Tensor::of<float>({1, 1, 1, 4}, {1, 3.5, 6, 0})));
  EXPECT_TRUE(close(sample("mode = \"nearest\", padding_mode = \"border\"", {-5, -5, 0.1f, 5}),
                    Tensor::of<float>({1, 1, 1, 2}, {1, 5})));
  EXPECT_TRUE(close(sample("padding_mode = \"reflection\", align_corners = 1", {-2, -1, 3, 1}),
                    Tensor::of<float>({1, 1, 1, 2}, {2, 4})));
  EXPECT_TRUE(close(sample("mode = \"cubic\", align_corners = 1", {0, -1}),
                    Tensor::of<float>({1, 1, 1, 1}, {2})));
}

TEST(Sampling, CubicTapsMoveToTheBorderOneByOne) {
  // The taps at 1, 2, 3 and 4 of the row 1, 2, 3 read 2, 3, 3 and 3.
  const std::string border = "mode = \"cubic\", padding_mode = \"border\", align_corners = 1";
  EXPECT_TRUE(close(sample(border, {1.5f, -1}), Tensor::of<float>({1, 1, 1, 1}, {3.09375f})));
}

TEST(Sampling, GridSampleSurvivesAnyCoordinate) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), huge = 1e30f;
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const std::string padding : {"zeros", "border", "reflection"}) {
      const Tensor y =
          sample(std::string("mode = \"") + mode + "\", padding_mode = \"" + padding + "\"",
                 {nan, 0, huge, -huge, INFINITY, -INFINITY});
      // Nothing from outside, or one of the pixels, 1 to 6. Where a float has no fraction, the place
      // that reflection finds may lie on the edge of the image, which counts as outside.
      for (const float v : y.data<float>()) {
        EXPECT_GE(v, padding == "border" ? 1 : 0) << mode << " " << padding;
        EXPECT_LE(v, padding == "zeros" ? 0 : 6) << mode << " " << padding;
      }
    }
}

TEST(Sampling, IdentityMapReadsTheImageAsItIs) {
  const auto x = random_tensor({2, 3, 4, 5});
  const auto y = run_text(head.graph(R"((float[2,3,4,5] x, float[2,2,3] t) => (float[2,3,4,5] y) {
    size = Constant <value = int64[4] {2, 3, 4, 5}> ()
    grid = AffineGrid (t, size)
    y = GridSample (x, grid)
  })"),
                          {x, Tensor::of<float>({2, 2, 3}, {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0})});
  EXPECT_TRUE(close(y[0], x, 1e-4, 1e-5));
}

TEST(Sampling, RoiAlignAveragesItsSamples) {
  const Tensor x = Tensor::of<float>({1, 1, 2, 2}, {1, 3, 5, 7});
  const auto run = [&](std::int64_t sample) {
    return run_text(
        head.graph(R"((float[1,1,2,2] x, float[1,4] r, int64[1] b)
        => (float[1,1,1,1] y) { y = RoiAlign <sampling_ratio = 1> (x, r, b) })"),
        {x, Tensor::of<float>({1, 4}, {0, 0, 2, 2}), Tensor::of<std::int64_t>({1}, {sample})})[0];
  };
  EXPECT_TRUE(close(run(0), Tensor::of<float>({1, 1, 1, 1}, {4})));
  EXPECT_THROW(run(1), Error);
}

TEST(Sampling, MaxRoiPoolTakesTheLargestOfEachCell) {
  const auto y = run_text(head.graph(R"((float[1,1,3,4] x, float[2,5] r) => (float[2,1,1,2] y) {
    y = MaxRoiPool <pooled_shape = [1, 2]> (x, r) })"),
                          {Tensor::of<float>({1, 1, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
                           Tensor::of<float>({2, 5}, {0, 0, 0, 3, 1, 0, 1, 1, 2, 2})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2, 1, 1, 2}, {6, 8, 10, 11})));
}

TEST(Sampling, MaxUnpoolUndoesMaxPool) {
  const TextModel model = head.graph(R"((float[1,1,2,2] x, int64[1,1,2,2] i) => (float[1,1,4,4] y) {
    y = MaxUnpool <kernel_shape = [2, 2], strides = [2, 2]> (x, i) })");
  const Tensor x = Tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const auto y = run_text(model, {x, Tensor::of<std::int64_t>({1, 1, 2, 2}, {5, 7, 13, 15})});
  EXPECT_TRUE(close(
      y[0], Tensor::of<float>({1, 1, 4, 4}, {0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4})));
  EXPECT_THROW(run_text(model, {x, Tensor::of<std::int64_t>({1, 1, 2, 2}, {5, 7, 13, 16})}), Error);
  EXPECT_THROW(run_text(model, {x, Tensor::of<std::int64_t>({1, 1, 2, 2}, {5, 7, 13, -1})}), Error);
}

TEST(Sampling, DeformConvWithoutOffsetsIsConv) {
  const auto y = run_text(head.graph(R"((float[2,4,5,6] x, float[6,2,3,3] w, float[2,36,5,3] o,
      float[6] b) => (float[2,6,5,3] y, float[2,6,5,3] z) {
    y = DeformConv <group = 2, offset_group = 2, pads = [1, 1, 1, 1], strides = [1, 2]> (x, w, o, b)
    z = Conv <group = 2, pads = [1, 1, 1, 1], strides = [1, 2]> (x, w, b)
  })"),
                          {random_tensor({2, 4, 5, 6}, 1), random_tensor({6, 2, 3, 3}, 2),
                           random_tensor({2, 36, 5, 3}, 3, 0, 0), random_tensor({6}, 4)});
  EXPECT_TRUE(close(y[0], y[1], 1e-4, 1e-5));
}

TEST(Sampling, Col2ImAddsOverlappingBlocks) {
  const auto y = run_text(head.graph(R"((float[1,2,3] x) => (float[1,1,1,4] y) {
    size = Constant <value = int64[2] {1, 4}> ()
    block = Constant <value = int64[2] {1, 2}> ()
    y = Col2Im (x, size, block)
  })"),
                          {Tensor::of<float>({1, 2, 3}, {1, 2, 3, 10, 20, 30})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 1, 1, 4}, {1, 12, 23, 30})));
}

TEST(Sampling, CenterCropPadKeepsTheMiddle) {
  const auto y = run_text(head.graph(R"((int32[5,2] x) => (int32[2,5] y) {
    size = Constant <value = int64[2] {2, 5}> ()
    y = CenterCropPad (x, size)
  })"),
                          {Tensor::of<std::int32_t>({5, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})});
  EXPECT_TRUE(close(y[0], Tensor::of<std::int32_t>({2, 5}, {0, 3, 4, 0, 0, 0, 5, 6, 0, 0})));
}

}  // namespace
}  // namespace intaglio::testing
