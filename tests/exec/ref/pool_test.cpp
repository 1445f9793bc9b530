#include "lib/exec/ops/pool.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;

std::string graph(const std::string& call, const std::string& outputs = "float[A,B,C,D] y") {
  return "(float[N,C0,H,W] x) => (" + outputs + ") { " + call + " }";
}

TEST(MaxPool, IndicesPointAtTheValues) {
  const Tensor x = random_tensor({2, 3, 9, 11});
  const auto y =
      run_text(graph("y, i = MaxPool<kernel_shape = [3, 2], strides = [2, 2], pads = [1, 1, 0, 1], "
                     "dilations = [1, 2]>(x)",
                     "float[A,B,C,D] y, int64[A,B,C,D] i"),
               {x});
  ASSERT_EQ(y[0].shape(), y[1].shape());
  for (std::size_t i = 0; i < static_cast<std::size_t>(y[0].size()); ++i)
    ASSERT_EQ(y[0].data<float>()[i],
              x.data<float>()[static_cast<std::size_t>(y[1].data<std::int64_t>()[i])]);
}

TEST(MaxPool, CountsIndicesByColumnWithStorageOrder) {
  const Tensor x = Tensor::of<float>({1, 1, 2, 3}, {0, 0, 9, 0, 0, 0});
  const auto y = run_text(graph("y, i = MaxPool<kernel_shape = [2, 3], storage_order = 1>(x)",
                                "float[A,B,C,D] y, int64[A,B,C,D] i"),
                          {x});
  EXPECT_EQ(y[1].item<std::int64_t>(), 4);
}

TEST(MaxPool, PoolsBytes) {
  const auto y = run_text(
      "(int8[1,1,4] x) => (int8[1,1,3] y) { y = MaxPool<kernel_shape = [2], pads = [1, 0], strides "
      "= [2]>(x) }",
      {Tensor::of<std::int8_t>({1, 1, 4}, {-5, -7, -128, -9})});
  EXPECT_EQ(y[0].to_vector<int>(), (std::vector{-5, -7}));
}

TEST(AveragePool, PaddingCountsOnlyWhenAsked) {
  const Tensor x = Tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const std::string attrs = "kernel_shape = [3, 3], pads = [1, 1, 1, 1]";
  EXPECT_TRUE(close(run_text(graph("y = AveragePool<" + attrs + ">(x)"), {x})[0],
                    Tensor::of<float>({1, 1, 2, 2}, {2.5, 2.5, 2.5, 2.5})));
  EXPECT_TRUE(
      close(run_text(graph("y = AveragePool<" + attrs + ", count_include_pad = 1>(x)"), {x})[0],
            Tensor::of<float>({1, 1, 2, 2}, {10.f / 9, 10.f / 9, 10.f / 9, 10.f / 9})));
}

TEST(AveragePool, AbsurdPaddingEndsBeforeMemoryDoes) {
  const std::string far = "536870912";
  EXPECT_THROW(run_text(graph("y = AveragePool<kernel_shape = [1, 1], pads = [" + far + ", " + far +
                              ", " + far + ", " + far + "]>(x)"),
                        {random_tensor({1, 1, 2, 2})}),
               Error);
}

// Most of a long window lies beside the image: what counts is not found step by step.
TEST(AveragePool, LongWindowsWithHoles) {
  const Tensor x = Tensor::of<float>({1, 1, 1, 4}, {1, 2, 3, 4});
  EXPECT_TRUE(close(
      run_text(graph("y = AveragePool<kernel_shape = [1, 5], dilations = [1, 2], pads = [0, 4, "
                     "0, 4]>(x)"),
               {x})[0],
      Tensor::of<float>({1, 1, 1, 4}, {2, 3, 2, 3})));
  EXPECT_TRUE(close(
      run_text(graph("y = AveragePool<kernel_shape = [1, 5], dilations = [1, 2], pads = [0, 4, "
                     "0, 4], count_include_pad = 1>(x)"),
               {x})[0],
      Tensor::of<float>({1, 1, 1, 4}, {0.8F, 1.2F, 0.8F, 1.2F})));
}

TEST(AveragePool, WhatCeilModeAddsNeverCounts) {
  const Tensor x = Tensor::of<float>({1, 1, 1, 4}, {1, 2, 3, 4});
  EXPECT_TRUE(close(
      run_text(graph("y = AveragePool<kernel_shape = [1, 3], strides = [1, 2], ceil_mode = 1, "
                     "count_include_pad = 1>(x)"),
               {x})[0],
      Tensor::of<float>({1, 1, 1, 2}, {2, 3.5})));
}

TEST(LpPool, IsTheNormUnderTheWindow) {
  EXPECT_TRUE(close(run_text(graph("y = LpPool<kernel_shape = [1, 2]>(x)"),
                             {Tensor::of<float>({1, 1, 1, 3}, {3, -4, 0})})[0],
                    Tensor::of<float>({1, 1, 1, 2}, {5, 4})));
}

TEST(GlobalPool, ReducesEveryChannel) {
  const Tensor x = Tensor::of<float>({1, 2, 1, 2}, {3, -4, 1, 2});
  EXPECT_TRUE(close(run_text(graph("y = GlobalAveragePool(x)"), {x})[0],
                    Tensor::of<float>({1, 2, 1, 1}, {-0.5, 1.5})));
  EXPECT_TRUE(close(run_text(graph("y = GlobalMaxPool(x)"), {x})[0],
                    Tensor::of<float>({1, 2, 1, 1}, {3, 2})));
  EXPECT_TRUE(close(run_text(graph("y = GlobalLpPool<p = 1>(x)"), {x})[0],
                    Tensor::of<float>({1, 2, 1, 1}, {7, 3})));
}

TEST(Window, CeilModeStartsNoWindowBehindTheInput) {
  EXPECT_EQ(place_window({.strides = {3}, .ceil_mode = true}, Shape{4}, Shape{1}).output, Shape{2});
  EXPECT_EQ(
      place_window({.strides = {2}, .pads = {1, 1}, .ceil_mode = true}, Shape{2}, Shape{1}).output,
      Shape{2});
  EXPECT_EQ(place_window({.strides = {2}, .pads = {1, 1}}, Shape{5}, Shape{3}).output, Shape{3});
}

}  // namespace
}  // namespace intaglio
