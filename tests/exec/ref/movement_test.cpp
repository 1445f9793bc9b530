// Operators that move elements: Transpose, Slice, Reshape, Gather, Concat, ...
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "lib/exec/executor.h"
#include "lib/exec/strided.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::run_text;
using testing::TextModel;

// Runs "y = <call>" on x (and i, j: int64 vectors) under an opset; ranks are left open.
Tensor run(const std::string& call, const Tensor& x, const Shape& i = {}, const Shape& j = {},
           int opset = 13) {
  Model model = TextModel().opset(opset).model(
      "(float x, int64[I] i, int64[J] j) => (float y) { y = " + call + " }");
  model.graph().find("x")->set_type(DType::f32, std::nullopt);
  return Executor(model.graph()).run(std::vector{x, Tensor::vector(i), Tensor::vector(j)})[0];
}

Code code_of(const std::string& call, const Tensor& x, const Shape& i = {}, const Shape& j = {}) {
  try {
    run(call, x, i, j);
  } catch (const Error& e) {
    return e.code();
  }
  return Code{};
}

Tensor iota(Shape shape) {
  Tensor t(DType::f32, std::move(shape));
  const auto values = t.mutate<float>();
  std::iota(values.begin(), values.end(), 0.0f);
  return t;
}

TEST(Strided, EveryPermutationAgreesWithTheSlowTwin) {
  const Tensor x = iota({3, 5, 18, 33});
  const Shape from = strides_of(x.shape());
  Shape perm = {0, 1, 2, 3};
  do {
    Shape shape, strides;
    for (const auto axis : perm) {
      shape.push_back(x.dim(static_cast<std::size_t>(axis)));
      strides.push_back(from[static_cast<std::size_t>(axis)]);
    }
    Tensor fast(DType::f32, shape), slow(DType::f32, shape);
    copy_strided(x, 0, strides, fast);
    auto out = slow.mutate<float>().begin();
    for (std::int64_t a = 0; a < shape[0]; ++a)
      for (std::int64_t b = 0; b < shape[1]; ++b)
        for (std::int64_t c = 0; c < shape[2]; ++c)
          for (std::int64_t d = 0; d < shape[3]; ++d)
            *out++ = static_cast<float>(a * strides[0] + b * strides[1] + c * strides[2] +
                                        d * strides[3]);
    EXPECT_TRUE(close(fast, slow, 0, 0)) << to_string(perm);
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST(Slice, FollowsPython) {
  const Tensor x = iota({10});
  EXPECT_TRUE(close(run("Slice(x, i, j)", x, {-3}, {1000}), Tensor::of<float>({3}, {7, 8, 9})));
  EXPECT_TRUE(close(run("Slice(x, i, j)", x, {7}, {3}), Tensor(DType::f32, {0})));
  const std::string steps =
      "Slice(x, i, j, a, s) a = Constant<value_ints = [0]>()"
      " s = Constant<value_ints = [-4]>()";
  EXPECT_TRUE(close(run(steps, x, {1000}, {-1000}), Tensor::of<float>({3}, {9, 5, 1})));
  EXPECT_TRUE(close(run("Slice<axes = [1], starts = [1], ends = [2]>(x)", iota({2, 2}), {}, {}, 9),
                    Tensor::of<float>({2, 1}, {1, 3})));
  EXPECT_TRUE(close(run("Slice(x, i, j)", x, {std::numeric_limits<std::int64_t>::min()},
                        {std::numeric_limits<std::int64_t>::max()}),
                    x));
}

TEST(Reshape, InfersAndRefuses) {
  const Tensor x = iota({2, 3, 4});
  EXPECT_EQ(run("Reshape(x, i)", x, {0, -1}).shape(), (Shape{2, 12}));
  EXPECT_EQ(run("Reshape<shape = [4, 6]>(x)", x, {}, {}, 1).shape(), (Shape{4, 6}));
  EXPECT_EQ(code_of("Reshape(x, i)", x, {5, -1}), Code::model);
  EXPECT_EQ(code_of("Reshape(x, i)", x, {-1, -1}), Code::model);
  EXPECT_EQ(code_of("Reshape(x, i)", x, {1 << 30, 1 << 30, 1 << 30}), Code::model);
  EXPECT_EQ(run("Flatten<axis = 3>(x)", x).shape(), (Shape{24, 1}));
  EXPECT_EQ(run("Unsqueeze(x, i)", x, {-1, 0}).shape(), (Shape{1, 2, 3, 4, 1}));
  EXPECT_EQ(code_of("Squeeze(x, i)", x, {0}), Code::model);
}

TEST(Gather, TakesNegativeIndicesAndRefusesOthers) {
  const Tensor x = iota({3, 2});
  EXPECT_TRUE(close(run("Gather(x, i)", x, {-1, 0}), Tensor::of<float>({2, 2}, {4, 5, 0, 1})));
  EXPECT_TRUE(close(run("Gather<axis = 1>(x, i)", x, {1}), Tensor::of<float>({3, 1}, {1, 3, 5})));
  EXPECT_EQ(code_of("Gather(x, i)", x, {3}), Code::model);
  EXPECT_EQ(code_of("Gather(x, i)", x, {-4}), Code::model);
}

TEST(Concat, AndSplitAreInverse) {
  const Tensor x = iota({2, 6});
  EXPECT_TRUE(
      close(run("Concat<axis = 1>(a, b, c) a, b, c = Split<axis = 1>(x, i)", x, {1, 2, 3}), x));
  EXPECT_EQ(code_of("Concat<axis = 0>(a, x) a, b = Split<axis = 1>(x, i)", x, {2, 4}), Code::model);
  EXPECT_EQ(code_of("Identity(a) a, b = Split<axis = 1>(x, i)", x, {2, 5}), Code::model);
}

TEST(Expand, AndTileRepeat) {
  const Tensor x = iota({2, 1});
  EXPECT_TRUE(close(run("Expand(x, i)", x, {2, 1, 3}),
                    Tensor::of<float>({2, 2, 3}, {0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1})));
  EXPECT_TRUE(close(run("Tile(x, i)", iota({2, 2}), {1, 2}),
                    Tensor::of<float>({2, 4}, {0, 1, 0, 1, 2, 3, 2, 3})));
}

TEST(Scatter, ReplacesOrAdds) {
  const std::string call = "ScatterElements<reduction = \"add\">(x, i, u) u = Identity(x)";
  EXPECT_TRUE(close(run(call, Tensor::of<float>({2}, {1, 2}), {1, 1}, {}, 18),
                    Tensor::of<float>({2}, {1, 5})));
}

TEST(TopK, OrdersTiesByPlaceAndNaNFirst) {
  const Tensor x = Tensor::of<float>({5}, {1, 3, std::nanf(""), 3, 2});
  EXPECT_TRUE(close(run("Identity(v) v, p = TopK(x, i)", x, {3}),
                    Tensor::of<float>({3}, {std::nanf(""), 3, 3})));
  EXPECT_TRUE(
      close(run("Cast<to = 1>(p) v, p = TopK(x, i)", x, {3}), Tensor::of<float>({3}, {2, 1, 3})));
  EXPECT_EQ(code_of("Identity(v) v, p = TopK(x, i)", x, {6}), Code::model);
}

TEST(Range, CountsDown) {
  const auto y = testing::run_text(
      "() => (int64[N] y) { a = Constant<value_int = 10>() b = Constant<value_int = 3>() c = "
      "Constant<value_int = -3>() y = Range(a, b, c) }",
      {});
  EXPECT_TRUE(close(y[0], Tensor::vector(Shape{10, 7, 4}), 0, 0));
}

// Sizes that overflow 64 bits, and sizes that fit but no machine has: both end as an error.
TEST(AbsurdSizes, FailCleanly) {
  constexpr std::int64_t huge = std::int64_t{1} << 61;
  const Tensor x = iota({2});
  EXPECT_EQ(code_of("Expand(x, i)", x, {huge, huge, 2}), Code::model);
  EXPECT_EQ(code_of("Expand(x, i)", x, {-1, 2}), Code::model);
  EXPECT_EQ(code_of("Tile(x, i)", x, {huge}), Code::model);
  EXPECT_EQ(code_of("Tile(x, i)", x, {-1}), Code::model);
  EXPECT_EQ(code_of("ConstantOfShape(i)", x, {huge, 4}), Code::model);
  EXPECT_EQ(
      code_of("Range(a, b, c) a = ReduceMin<keepdims = 0>(i) b = ReduceMax<keepdims = 0>(i)"
              " c = Constant<value_int = 1>()",
              x,
              {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}),
      Code::model);
}

TEST(AbsurdSizes, MoreThanTheMachineHas) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer aborts instead of throwing bad_alloc";
#else
  const Tensor x = iota({1});
  EXPECT_EQ(code_of("ConstantOfShape(i)", x, {1'000'000'000'000'000'000}), Code::model);
  EXPECT_EQ(code_of("Expand(x, i)", x, {1'000'000'000'000'000'000}), Code::model);
#endif
}

}  // namespace
}  // namespace intaglio
