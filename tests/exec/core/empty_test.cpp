// Tensors without elements, whose other lengths may be astronomical: an empty result, at once.
#include <gtest/gtest.h>

#include "lib/exec/executor.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

constexpr std::int64_t huge = std::int64_t{1} << 40;

// "y = <call>" on a tensor of this shape; k is an int64 vector.
Shape shape_of(const std::string& call, const Shape& x, const Shape& k = {0}, int opset = 13) {
  Model model = testing::TextModel().opset(opset).model(
      "(float x, int64[K] k, int64 axis) => (float y) { y = " + call + " }");
  model.graph().find("x")->set_type(DType::f32, std::nullopt);
  const std::vector<Tensor> feeds = {Tensor(DType::f32, x), Tensor::vector(k),
                                     Tensor::scalar<std::int64_t>(1)};
  return Executor(model.graph()).run(feeds)[0].shape();
}

TEST(Empty, WhatKeepsTheShape) {
  for (const Shape& shape : {Shape{huge, 0}, Shape{0, huge}}) {
    for (const char* call :
         {"CumSum(x, axis)", "CumSum<reverse=1>(x, axis)", "Softmax<axis=1>(x)",
          "Softmax<axis=0>(x)", "LogSoftmax<axis=1>(x)", "Hardmax<axis=1>(x)",
          "LpNormalization<axis=1>(x)", "Relu(x)", "Add(x, x)", "Transpose<perm=[0,1]>(x)"})
      EXPECT_EQ(shape_of(call, shape), shape) << call << " " << to_string(shape);
  }
  EXPECT_EQ(shape_of("CumProd(x, axis)", {huge, 0}, {0}, 26), (Shape{huge, 0}));
}

TEST(Empty, WhatLooksAtNeighbours) {
  EXPECT_EQ(shape_of("AveragePool<kernel_shape=[2]>(x)", {0, 3, huge}), (Shape{0, 3, huge - 1}));
  EXPECT_EQ(shape_of("MaxPool<kernel_shape=[2]>(x)", {0, 3, huge}), (Shape{0, 3, huge - 1}));
  EXPECT_EQ(shape_of("LRN<size=3>(x)", {huge, 3, 0, 5}), (Shape{huge, 3, 0, 5}));
  EXPECT_EQ(shape_of("Attention(x, x, x)", {huge, 2, 2, 0}, {0}, 23), (Shape{huge, 2, 2, 0}));
}

TEST(Empty, WhatSelects) {
  EXPECT_EQ(shape_of("TopK<axis=1>(x, k)", {huge, 0}, {0}), (Shape{huge, 0}));
  EXPECT_EQ(shape_of("TopK<axis=1>(x, k)", {0, huge}, {3}), (Shape{0, 3}));
  EXPECT_EQ(shape_of("Gather<axis=0>(x, k)", {huge, 0}, {1, 2}), (Shape{2, 0}));
  EXPECT_EQ(shape_of("Concat<axis=1>(x, x)", {huge, 0}), (Shape{huge, 0}));
  EXPECT_EQ(shape_of("ReduceSum<keepdims=0>(x, k)", {0, huge}, {1}), (Shape{0}));
}

}  // namespace
}  // namespace intaglio
