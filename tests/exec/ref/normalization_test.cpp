// Softmax and the operators that normalize with means, variances and norms.
#include <gtest/gtest.h>

#include <cmath>

#include "lib/exec/executor.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::TextModel;

// Runs "y = <call>" on x and two vectors under an opset.
Tensor run(const std::string& call, const Tensor& x, int opset = 13,
           const Tensor& a = Tensor::scalar(1.0f), const Tensor& b = Tensor::scalar(0.0f)) {
  Model model = TextModel().opset(opset).model(
      "(float x, float a, float b) => (float y) { y = " + call + " }");
  for (const char* name : {"x", "a", "b"})
    model.graph().find(name)->set_type(DType::f32, std::nullopt);
  return Executor(model.graph()).run(std::vector{x, a, b})[0];
}

TEST(Softmax, WorksAlongOneAxisSinceOpset13) {
  const Tensor x = random_tensor({2, 3, 4}, 1, -5, 5);
  const Tensor y = run("Softmax<axis = 1>(x)", x), log = run("LogSoftmax<axis = 1>(x)", x);
  for (std::size_t i = 0; i < 24; ++i)
    EXPECT_NEAR(std::log(y.data<float>()[i]), log.data<float>()[i], 1e-5);
  EXPECT_NEAR(y.data<float>()[12] + y.data<float>()[16] + y.data<float>()[20], 1, 1e-6);
}

TEST(Softmax, FlattensFromTheAxisOnBeforeOpset13) {
  const Tensor x = random_tensor({2, 3, 4});
  EXPECT_TRUE(close(run("Softmax(x)", x, 11),
                    run("Softmax<axis = 1>(x)", x.reshaped({2, 12})).reshaped({2, 3, 4})));
}

TEST(Softmax, HardmaxMarksTheFirstLargest) {
  EXPECT_TRUE(close(run("Hardmax(x)", Tensor::of<float>({2, 3}, {1, 3, 3, 2, 0, 1})),
                    Tensor::of<float>({2, 3}, {0, 1, 0, 1, 0, 0})));
}

TEST(BatchNormalization, NormalizesByChannelAndRefusesTraining) {
  const Tensor x = Tensor::of<float>({1, 2, 2}, {1, 2, 3, 4});
  const Tensor a = Tensor::of<float>({2}, {2, 4}), b = Tensor::of<float>({2}, {1, 2});
  EXPECT_TRUE(close(run("BatchNormalization<epsilon = 0.0>(x, a, b, b, a)", x, 15, a, b),
                    Tensor::of<float>({1, 2, 2}, {1, 1 + std::sqrt(2.f), 4, 6})));
  EXPECT_THROW(run("BatchNormalization<training_mode = 1>(x, a, b, b, a)", x, 15, a, b), Error);
  EXPECT_THROW(run("BatchNormalization(x, a, b, b, b)", x, 15, a, Tensor::of<float>({1}, {1})),
               Error);
}

TEST(InstanceNormalization, IsGroupNormalizationWithOneChannelPerGroup) {
  const Tensor x = random_tensor({2, 4, 3, 5}), a = random_tensor({4}, 2),
               b = random_tensor({4}, 3);
  const Tensor y = run("InstanceNormalization(x, a, b)", x, 13, a, b);
  EXPECT_TRUE(close(run("GroupNormalization<num_groups = 4>(x, a, b)", x, 21, a, b), y));
  double sum = 0;
  for (const float v : y.data<float>().subspan(15, 15)) sum += static_cast<double>(v);
  EXPECT_NEAR(sum / 15, b.data<float>()[1], 1e-5);
}

TEST(LayerNormalization, BroadcastsItsParameters) {
  const Tensor x = Tensor::of<float>({2, 2}, {1, 3, 10, 30});
  EXPECT_TRUE(close(run("LayerNormalization<epsilon = 0.0>(x, a, b)", x, 17,
                        Tensor::of<float>({1}, {2}), Tensor::of<float>({2}, {0, 1})),
                    Tensor::of<float>({2, 2}, {-2, 3, -2, 3})));
}

TEST(MeanVarianceNormalization, NormalizesOverTheGivenAxes) {
  const Tensor x = Tensor::of<float>({2, 2}, {1, 10, 3, 30});
  EXPECT_TRUE(close(run("MeanVarianceNormalization<axes = [0]>(x)", x),
                    Tensor::of<float>({2, 2}, {-1, -1, 1, 1})));
}

TEST(LpNormalization, KeepsZeros) {
  EXPECT_TRUE(close(run("LpNormalization(x)", Tensor::of<float>({2, 2}, {3, 4, 0, 0})),
                    Tensor::of<float>({2, 2}, {0.6f, 0.8f, 0, 0})));
}

TEST(Lrn, SumsOverNeighbouringChannels) {
  const Tensor x = Tensor::of<float>({1, 3, 1}, {1, 2, 3});
  EXPECT_TRUE(close(run("LRN<size = 2, alpha = 2.0, beta = 1.0, bias = 1.0>(x)", x),
                    Tensor::of<float>({1, 3, 1}, {1.f / 6, 2.f / 14, 3.f / 10})));
}

}  // namespace
}  // namespace intaglio
