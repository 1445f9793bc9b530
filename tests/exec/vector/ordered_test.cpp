// The kernels of lib/exec/ordered against their order written down plainly.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>

#include "lib/exec/executor.h"
#include "lib/exec/registry.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

Tensor run_ordered(const std::string& graph, const std::vector<Tensor>& feeds) {
  Model model = TextModel().typed(graph);
  CompileOptions options = CompileOptions::nothing_observed();
  options.registry = &ordered_registry();
  return Executor(model.graph(), options).run(feeds).front();
}

// Of an image [C, size, size] padded by `pad`: what filter element (c, i, j) meets at (y, x).
struct Image {
  const Tensor& tensor;
  std::int64_t size, pad;
  float at(std::int64_t c, std::int64_t y, std::int64_t x) const {
    y -= pad, x -= pad;
    if (y < 0 || x < 0 || y >= size || x >= size) return 0;
    return tensor.data<float>()[static_cast<std::size_t>((c * size + y) * size + x)];
  }
};

using Products = std::vector<std::pair<float, float>>;

float in_chains(const Products& products, std::size_t length) {
  float sum = 0;
  for (std::size_t k = 0; k < products.size(); k += length) {
    float chain = 0;
    for (std::size_t i = k; i < std::min(k + length, products.size()); ++i)
      chain = std::fma(products[i].first, products[i].second, chain);
    sum += chain;
  }
  return sum;
}

// volatile: rounded, whatever the compiler may fuse.
float by_fours(const Products& products) {
  volatile float sum = 0;
  for (std::size_t k = 0; k < products.size();) {
    const std::size_t left = products.size() - k, count = left >= 4 ? 4 : left >= 2 ? 2 : 1;
    volatile float part = products[k].first * products[k].second;
    for (std::size_t i = k + 1; i < k + count; ++i) {
      volatile float product = products[i].first * products[i].second;
      part = part + product;
    }
    sum = sum + part;
    k += count;
  }
  return sum;
}

struct Case {
  const char* name;
  std::int64_t channels, size, filters, kernel, stride, pad, group;
  std::size_t chain;  // 0: by fours
};

class OrderedConv : public ::testing::TestWithParam<Case> {};

TEST_P(OrderedConv, AddsAsWritten) {
  const Case& p = GetParam();
  const std::int64_t depth = p.channels / p.group, per_group = p.filters / p.group;
  const std::int64_t out = (p.size + 2 * p.pad - p.kernel) / p.stride + 1;
  const std::vector<Tensor> feeds = {random_tensor({2, p.channels, p.size, p.size}),
                                     random_tensor({p.filters, depth, p.kernel, p.kernel}),
                                     random_tensor({p.filters})};
  const Tensor y = run_ordered(
      fmt::format(
          "(float[N,C,H,W] x, float[O,I,K,L] w, float[O] b) => (float[N,O,P,Q] y) {{"
          " y = Conv <group = {}, strides = [{}, {}], pads = [{}, {}, {}, {}]> (x, w, b) }}",
          p.group, p.stride, p.stride, p.pad, p.pad, p.pad, p.pad),
      feeds);
  ASSERT_EQ(y.shape(), (Shape{2, p.filters, out, out}));
  std::size_t at = 0;
  for (std::int64_t n = 0; n < 2; ++n) {
    const Tensor one = feeds[0].reshaped({2, p.channels * p.size * p.size});
    const std::vector<float> all = one.to_vector<float>();
    const Tensor picture = Tensor::vector(
        std::vector<float>(all.begin() + n * one.dim(1), all.begin() + (n + 1) * one.dim(1)));
    const Image image{picture, p.size, p.pad};
    for (std::int64_t f = 0; f < p.filters; ++f)
      for (std::int64_t r = 0; r < out; ++r)
        for (std::int64_t c = 0; c < out; ++c) {
          Products products;
          const float* w = feeds[1].data<float>().data() + f * depth * p.kernel * p.kernel;
          for (std::int64_t d = 0; d < depth; ++d)
            for (std::int64_t i = 0; i < p.kernel; ++i)
              for (std::int64_t j = 0; j < p.kernel; ++j)
                products.emplace_back(
                    *w++, image.at(f / per_group * depth + d, r * p.stride + i, c * p.stride + j));
          const float sum = p.chain == 0 ? by_fours(products) : in_chains(products, p.chain);
          const float expected = sum + feeds[2].data<float>()[static_cast<std::size_t>(f)];
          ASSERT_EQ(y.data<float>()[at++], expected) << n << " " << f << " " << r << " " << c;
        }
  }
}

INSTANTIATE_TEST_SUITE_P(Convolutions, OrderedConv,
                         ::testing::Values(Case{"OneChain", 3, 17, 5, 3, 2, 1, 1, 128},
                                           Case{"ChainsOf128", 20, 15, 3, 3, 1, 1, 1, 128},
                                           Case{"ChainsOf256", 40, 7, 6, 3, 1, 1, 1, 256},
                                           Case{"ChainsOf512", 80, 5, 4, 3, 1, 1, 1, 512},
                                           Case{"ChainsOf1024", 130, 4, 2, 3, 1, 1, 1, 1024},
                                           Case{"Groups", 32, 13, 8, 3, 1, 1, 2, 128},
                                           Case{"Depthwise", 4, 14, 4, 3, 1, 1, 4, 0},
                                           Case{"DepthwiseStrided", 3, 12, 3, 5, 2, 2, 3, 0},
                                           Case{"DepthwiseMultiplied", 2, 9, 4, 3, 1, 0, 2, 128},
                                           Case{"OneFilter", 4, 8, 1, 1, 1, 0, 1, 0}),
                         [](const auto& tested) { return std::string(tested.param.name); });

// To the bit what onnxruntime 1.31 makes of these values on x86-64 with FMA.
TEST(OrderedSigmoid, IsThatOfOnnxruntime) {
  const std::vector<float> x = {-20, -17.5f, -8.25f, -1.7f, -0.1f, 0, 0.3f, 2.5f, 9.125f, 18.5f};
  const std::vector<float> expected = {0x0.0p+0f,
                                       0x1.0000000000000p-25f,
                                       0x1.11e0000000000p-12f,
                                       0x1.3c58480000000p-3f,
                                       0x1.e66bdc0000000p-2f,
                                       0x1.0000000000000p-1f,
                                       0x1.261d540000000p-1f,
                                       0x1.d9291e0000000p-1f,
                                       0x1.fff1ba0000000p-1f,
                                       0x1.0000000000000p+0f};
  const Tensor y =
      run_ordered("(float[10] x) => (float[10] y) { y = Sigmoid(x) }", {Tensor::vector(x)});
  EXPECT_EQ(y.to_vector<float>(), expected);
}

TEST(OrderedSigmoid, IsCloseEverywhere) {
  std::vector<float> x;
  for (int i = -4000; i <= 4000; ++i) x.push_back(static_cast<float>(i) / 173);
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  const Tensor y =
      run_ordered("(float[M] x) => (float[M] y) { y = Sigmoid(x) }", {Tensor::vector(x)});
  for (std::size_t i = 0; i + 1 < x.size(); ++i)
    ASSERT_NEAR(y.data<float>()[i], 1 / (1 + std::exp(-static_cast<double>(x[i]))), 1.2e-7) << x[i];
  EXPECT_TRUE(std::isnan(y.data<float>()[x.size() - 1]));
}

TEST(OrderedRegistry, LeavesTheDefaultAsItIs) {
  Model model = TextModel().typed("(float[4] x) => (float[4] y) { y = Sigmoid(x) }");
  const Node& node = *model.graph().nodes().front();
  EXPECT_EQ(ordered_registry().select(node).impl, "ordered");
  EXPECT_NE(default_registry().select(node).impl, "ordered");
}

}  // namespace
}  // namespace intaglio::testing
