// If, Loop and Scan, and what nested graphs capture from the graphs around them.
#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

TEST(ControlFlow, IfTakesABranchAndItsCaptures) {
  const TextModel model = TextModel().opset(16).graph(R"((bool c, float[2] x) => (float[2] y) {
      twice = Add (x, x)
      y = If (c) <
        then_branch = yes () => (float[2] a) { a = Add (twice, x) },
        else_branch = no () => (float[2] b) { b = Neg (twice) }
      >
    })");
  const Tensor x = Tensor::of<float>({2}, {1, 2});
  EXPECT_TRUE(close(run_text(model, {Tensor::scalar(true), x})[0], Tensor::of<float>({2}, {3, 6})));
  EXPECT_TRUE(
      close(run_text(model, {Tensor::scalar(false), x})[0], Tensor::of<float>({2}, {-2, -4})));
}

TEST(ControlFlow, CapturesReachThroughTwoLevelsAndMayBeReturnedAsTheyAre) {
  const TextModel model =
      TextModel().opset(16).graph(R"((bool c, bool d, float[2] x) => (float[2] y) {
      twice = Add (x, x)
      y = If (c) <
        then_branch = yes () => (float[2] a) {
          a = If (d) <
            then_branch = inner () => (float[2] twice) { },
            else_branch = other () => (float[2] e) { e = Neg (x) }
          >
        },
        else_branch = no () => (float[2] b) { b = Identity (x) }
      >
    })");
  const Tensor x = Tensor::of<float>({2}, {1, 2}), yes = Tensor::scalar(true);
  EXPECT_TRUE(close(run_text(model, {yes, yes, x})[0], Tensor::of<float>({2}, {2, 4})));
  EXPECT_TRUE(
      close(run_text(model, {yes, Tensor::scalar(false), x})[0], Tensor::of<float>({2}, {-1, -2})));
}

const TextModel counting = TextModel().opset(16).graph(
    R"((int64 trips, bool go, float step, float limit) => (float last, float[N] all) {
      zero = Constant <value = float {0}> ()
      last, all = Loop (trips, go, zero) <
        body = b (int64 i, bool c, float s) => (bool again, float next, float seen) {
          next = Add (s, step)
          again = Less (next, limit)
          seen = Mul (next, next)
        }
      >
    })");

std::vector<Tensor> count(std::int64_t trips, bool go, float limit) {
  return run_text(counting, {Tensor::scalar(trips), Tensor::scalar(go), Tensor::scalar(2.0f),
                             Tensor::scalar(limit)});
}

TEST(ControlFlow, LoopEndsByTripCountOrCondition) {
  EXPECT_TRUE(close(count(3, true, 100)[0], Tensor::scalar(6.0f)));
  EXPECT_TRUE(close(count(3, true, 100)[1], Tensor::of<float>({3}, {4, 16, 36})));
  EXPECT_TRUE(close(count(9, true, 4)[1], Tensor::of<float>({2}, {4, 16})));
}

TEST(ControlFlow, LoopWithoutIterationsHasEmptyScanOutputs) {
  EXPECT_TRUE(close(count(0, true, 100)[1], Tensor(DType::f32, {0})));
  EXPECT_TRUE(close(count(5, false, 100)[0], Tensor::scalar(0.0f)));
}

TEST(ControlFlow, LoopRefusesScanOutputsThatChangeShape) {
  const TextModel model =
      TextModel().opset(16).graph(R"((int64 trips, float[N] x) => (float[M] last, float[K, L] all) {
      last, all = Loop (trips, , x) <
        body = b (int64 i, bool c, float[A] s) => (bool again, float[B] next, float[C] seen) {
          again = Identity (c)
          next = Concat <axis = 0> (s, x)
          seen = Identity (next)
        }
      >
    })");
  const Tensor x = Tensor::of<float>({2}, {1, 2});
  EXPECT_EQ(run_text(model, {Tensor::scalar<std::int64_t>(1), x})[0].size(), 4);
  EXPECT_THROW(run_text(model, {Tensor::scalar<std::int64_t>(2), x}), Error);
}

TEST(ControlFlow, ScanHasAxesAndDirections) {
  const TextModel model = TextModel().opset(16).graph(
      R"((float[2] start, float[2, 3] x, float w) => (float[2] last, float[2, 3] sums) {
      last, sums = Scan <num_scan_inputs = 1, scan_input_axes = [1], scan_input_directions = [1],
                         scan_output_axes = [-1], scan_output_directions = [1],
        body = b (float[2] s, float[2] e) => (float[2] next, float[2] seen) {
          weighted = Mul (e, w)
          next = Add (s, weighted)
          seen = Identity (next)
        }
      > (start, x)
    })");
  const auto y =
      run_text(model, {Tensor::of<float>({2}, {0, 100}),
                       Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}), Tensor::scalar(2.0f)});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2}, {12, 130})));
  EXPECT_TRUE(close(y[1], Tensor::of<float>({2, 3}, {12, 10, 6, 130, 122, 112})));
}

TEST(ControlFlow, ScanOfOpset8FillsShortSequencesWithZeros) {
  const TextModel model =
      TextModel().opset(8).graph(R"((int64[2] lengths, float[2, 1] start, float[2, 3, 1] x)
        => (float[2, 1] last, float[2, 3, 1] sums) {
      last, sums = Scan <num_scan_inputs = 1,
        body = b (float[1] s, float[1] e) => (float[1] next, float[1] seen) {
          next = Add (s, e)
          seen = Identity (next)
        }
      > (lengths, start, x)
    })");
  const auto y =
      run_text(model, {Tensor::of<std::int64_t>({2}, {2, 3}), Tensor::of<float>({2, 1}, {0, 10}),
                       Tensor::of<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2, 1}, {3, 25})));
  EXPECT_TRUE(close(y[1], Tensor::of<float>({2, 3, 1}, {1, 3, 0, 14, 19, 25})));
}

}  // namespace
}  // namespace intaglio::testing
