#include "lib/eval/softmax_rows.h"

#include <gtest/gtest.h>

#include <limits>

#include "lib/eval/evaluate.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::TextModel;

constexpr float lowest = std::numeric_limits<float>::lowest();
constexpr SoftmaxRows last{-1, 20};

Deviation compared(const Tensor& x, const Tensor& y, const SoftmaxRows& rows = last) {
  Deviation d;
  add_unmasked(x, y, rows, d);
  return d;
}

TEST(SoftmaxRows, AHugeMaskDoesNotHideNoise) {
  const Tensor x = Tensor::of<float>({1, 4}, {1, 2, lowest, -1e4f});
  const Tensor y = Tensor::of<float>({1, 4}, {2, 1, lowest, -1e4f});
  const Deviation d = compared(x, y);
  EXPECT_EQ(d.count, 2u);
  EXPECT_NEAR(*d.sqnr_db(), 10 * std::log10(5.0 / 2), 1e-9);
}

TEST(SoftmaxRows, AMaskThatIsLostCounts) {
  const Deviation d =
      compared(Tensor::of<float>({1, 2}, {1, lowest}), Tensor::of<float>({1, 2}, {1, 0}));
  EXPECT_EQ(d.count, 2u);
  EXPECT_EQ(d.dd, 19 * 19);
}

TEST(SoftmaxRows, RowsLieAlongTheirAxis) {
  const Tensor x = Tensor::of<float>({2, 2}, {0, 50, 40, 60});
  EXPECT_EQ(compared(x, x, {-1, 20}).count, 3u);
  EXPECT_EQ(compared(x, x, {-2, 20}).count, 3u);
  EXPECT_EQ(compared(x, x, {-1, 15}).count, 2u);
}

TEST(SoftmaxRows, ARowOfInfinitiesIsLeftOutAsSuch) {
  constexpr float none = -std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::of<float>({2, 2}, {none, none, 1, none});
  const Deviation d = compared(x, x);
  EXPECT_EQ(d.left_out, 2u);
  EXPECT_EQ(d.count, 1u);
}

TEST(SoftmaxRows, AreFoundThroughSumsAndChoices) {
  const Model model = TextModel().opset(14).model(
      R"((float[1,2,4] q, float[1,4] m, bool[1,4] b) => (float[1,2,4] y, float[1,2,4] z)
      <float k = {0.125}, float low = {-10000}> {
      scaled = Mul(q, k)
      bias = Mul(m, low)
      masked = Add(scaled, bias)
      chosen = Where(b, masked, low)
      y = Softmax <axis = -1> (chosen)
      z = Relu(q)
    })");
  const auto rows = softmax_rows(model.graph());
  EXPECT_EQ(rows.at("chosen").reach, 20);
  EXPECT_EQ(rows.at("masked").reach, 100);
  EXPECT_EQ(rows.at("bias").axis, -1);
  EXPECT_FALSE(rows.contains("q")) << "others read it too";
  EXPECT_FALSE(rows.contains("y"));
}

TEST(SoftmaxRows, OneAxisForAllReaders) {
  const Model model =
      TextModel().opset(14).model(R"((float[2,4] x) => (float[2,4] y, float[2,4] z) {
      y = Softmax <axis = 0> (x)
      z = Softmax <axis = 1> (x)
    })");
  EXPECT_TRUE(softmax_rows(model.graph()).empty());
}

}  // namespace
}  // namespace intaglio
