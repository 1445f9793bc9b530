#include "lib/exec/ops/reduce.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;
using testing::TextModel;

Tensor run(const std::string& call, const Tensor& x, int opset = 13) {
  const TextModel text = TextModel().opset(opset);
  return run_text(text.graph("(float[A,B,C,D] x) => (float y) { y = " + call + " }"), {x})[0];
}

// The slow twin: sums by coordinates. mask has bit d set when axis d is reduced.
Tensor slow_sum(const Tensor& x, unsigned mask) {
  Shape kept = x.shape();
  for (std::size_t d = 0; d < kept.size(); ++d)
    if (mask >> d & 1) kept[d] = 1;
  const Shape strides = broadcast_strides(kept, x.shape());
  std::vector<double> sums(static_cast<std::size_t>(element_count(kept)));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    std::int64_t rest = i, at = 0;
    for (std::size_t d = kept.size(); d-- > 0; rest /= x.dim(d)) at += rest % x.dim(d) * strides[d];
    sums[static_cast<std::size_t>(at)] += x.data<float>()[static_cast<std::size_t>(i)];
  }
  return convert(Tensor::of<double>(kept, sums), DType::f32);
}

TEST(Reduce, EverySetOfAxesAgreesWithTheSlowTwin) {
  const Tensor x = random_tensor({3, 4, 5, 19});
  for (unsigned mask = 1; mask < 16; ++mask) {
    std::string axes;
    for (unsigned d = 0; d < 4; ++d)
      if (mask >> d & 1)
        axes += (axes.empty() ? "" : ", ") + std::to_string(static_cast<int>(d) - 4);
    EXPECT_TRUE(
        close(run("ReduceSum<axes = [" + axes + "]>(x)", x, 11), slow_sum(x, mask), 1e-6, 1e-6))
        << axes;
  }
}

TEST(Reduce, KindsOnKnownNumbers) {
  const Tensor x = Tensor::of<float>({1, 1, 2, 2}, {-3, 4, 1.5f, 0});
  const std::vector<std::pair<std::string, float>> cases = {
      {"ReduceMean", 0.625f},
      {"ReduceMax", 4},
      {"ReduceMin", -3},
      {"ReduceProd", 0},
      {"ReduceL1", 8.5f},
      {"ReduceL2", std::sqrt(27.25f)},
      {"ReduceSumSquare", 27.25f},
      {"ReduceLogSum", std::log(2.5f)},
      {"ReduceLogSumExp", std::log(std::exp(-3.0f) + std::exp(4.0f) + std::exp(1.5f) + 1)}};
  for (const auto& [op, expected] : cases)
    EXPECT_TRUE(close(run(op + "<keepdims = 0>(x)", x), Tensor::scalar(expected), 1e-6, 0)) << op;
}

TEST(Reduce, LogSumExpDoesNotOverflow) {
  EXPECT_TRUE(
      close(run("ReduceLogSumExp<keepdims = 0>(x)", Tensor::of<float>({1, 1, 1, 2}, {1000, 1000})),
            Tensor::scalar(1000.69315f), 1e-6, 0));
}

TEST(Reduce, NoAxesMeansAllOrNone) {
  const Tensor x = random_tensor({1, 2, 3, 4});
  EXPECT_EQ(run("ReduceSum(x)", x).shape(), (Shape{1, 1, 1, 1}));
  EXPECT_TRUE(close(run("ReduceSum<noop_with_empty_axes = 1>(x)", x), x));
}

TEST(Reduce, NaNIsNotLost) {
  const Tensor x = Tensor::of<float>({1, 1, 1, 10}, {1, 2, std::nanf(""), 4, 5, 6, 7, 8, 9, 10});
  EXPECT_TRUE(std::isnan(run("ReduceMax<keepdims = 0>(x)", x).item<float>()));
  EXPECT_TRUE(std::isnan(run("ReduceMin<keepdims = 0>(x)", x).item<float>()));
}

TEST(ArgMax, FirstOrLast) {
  const Tensor x = Tensor::of<float>({1, 1, 1, 4}, {1, 5, 5, 2});
  EXPECT_EQ(run_text("(float[A,B,C,D] x) => (int64 y, int64 z) { y = ArgMax<axis = 3>(x) z = "
                     "ArgMax<axis = 3, select_last_index = 1>(x) }",
                     {x})[1]
                .to_vector<int>(),
            std::vector<int>{2});
}

}  // namespace
}  // namespace intaglio
