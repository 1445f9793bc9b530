// Resize, Upsample, Pad, DepthToSpace and Einsum.
#include "lib/exec/ops/resample.h"

#include <gtest/gtest.h>

#include "lib/exec/executor.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::close;
using testing::random_tensor;
using testing::TextModel;

Tensor run(const std::string& call, const Tensor& x, const Tensor& f = {}, const Shape& i = {},
           int opset = 13, const Shape& j = {}) {
  Model model = TextModel().opset(opset).model(
      "(float x, float f, int64[I] i, int64[J] j) => (float y) { y = " + call + " }");
  for (const char* name : {"x", "f"}) model.graph().find(name)->set_type(DType::f32, std::nullopt);
  const Tensor floats = f.defined() ? f : Tensor::scalar(0.0f);
  return Executor(model.graph())
      .run(std::vector{x, floats, Tensor::vector(i), Tensor::vector(j)})[0];
}

Tensor row(const std::vector<float>& values) { return Tensor::vector(values); }

TEST(Resize, NearestRoundsAsAsked) {
  const Tensor x = row({1, 2, 3, 4});
  EXPECT_TRUE(close(run("Resize(x, , f)", x, row({2})), row({1, 1, 2, 2, 3, 3, 4, 4})));
  EXPECT_TRUE(close(run("Resize<nearest_mode = \"ceil\", coordinate_transformation_mode = "
                        "\"asymmetric\">(x, , f)",
                        x, row({2})),
                    row({1, 2, 2, 3, 3, 4, 4, 4})));
  EXPECT_TRUE(close(run("Resize(x, f)", x, row({0.5}), {}, 10), row({1, 3})));
  EXPECT_TRUE(close(run("Upsample(x, f)", x, row({1.5}), {}, 9), row({1, 1, 2, 3, 3, 4})));
}

TEST(Resize, LinearMeetsTheEndsWithAlignedCorners) {
  EXPECT_TRUE(close(
      run("Resize<mode = \"linear\", coordinate_transformation_mode = \"align_corners\">(x, , , i)",
          row({0, 2}), {}, {5}),
      row({0, 0.5, 1, 1.5, 2})));
  EXPECT_TRUE(
      close(run("Resize<mode = \"linear\">(x, , f)", row({0, 4}), row({2})), row({0, 1, 3, 4})));
}

TEST(Resize, InterpolationKeepsConstantsAndIdentity) {
  for (const std::string mode : {"linear", "cubic"})
    for (const std::string extra : {"", ", exclude_outside = 1", ", antialias = 1"}) {
      const std::string call = "Resize<mode = \"" + mode + "\"" + extra + ">(x, , , i)";
      Tensor flat(DType::f32, {1, 2, 5, 7});
      for (float& v : flat.mutate<float>()) v = 3;
      const Tensor y = run(call, flat, {}, {1, 2, 3, 11}, 18);
      ASSERT_EQ(y.shape(), (Shape{1, 2, 3, 11}));
      for (const float v : y.data<float>()) EXPECT_NEAR(v, 3, 1e-5) << call;
      const Tensor x = random_tensor({1, 2, 5, 7});
      EXPECT_TRUE(close(run(call, x, {}, {1, 2, 5, 7}, 18), x)) << call;
    }
}

TEST(Resize, CropsWithAValueOutside) {
  const std::string call =
      "Resize<mode = \"linear\", coordinate_transformation_mode = \"tf_crop_and_resize\", "
      "extrapolation_value = 9.0>(x, f, , i)";
  EXPECT_TRUE(close(run(call, row({0, 1, 2}), row({0.5, 1.5}), {3}), row({1, 2, 9})));
}

TEST(Resize, RefusesWhatItCannotDo) {
  const Tensor x = row({1, 2});
  EXPECT_THROW(run("Resize(x, , f)", x, row({-1})), Error);
  EXPECT_THROW(run("Resize(x, , f)", x, row({1, 1})), Error);
  EXPECT_THROW(run("Resize(x, , f)", x, row({1e30f})), Error);
  EXPECT_THROW(run("Resize(x)", x), Error);
  EXPECT_THROW(run("Resize<mode = \"magic\">(x, , f)", x, row({1})), Error);
}

TEST(Pad, KnowsItsModes) {
  const Tensor x = row({1, 2, 3});
  const auto pad = [&](const std::string& mode, const Shape& pads) {
    return run("Pad<mode = \"" + mode + "\">(x, i, f)", x, Tensor::scalar(7.0f), pads);
  };
  EXPECT_TRUE(close(pad("constant", {2, 1}), row({7, 7, 1, 2, 3, 7})));
  EXPECT_TRUE(close(pad("reflect", {3, 5}), row({2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2})));
  EXPECT_TRUE(close(pad("edge", {2, 1}), row({1, 1, 1, 2, 3, 3})));
  EXPECT_TRUE(close(pad("wrap", {2, 4}), row({2, 3, 1, 2, 3, 1, 2, 3, 1})));
  EXPECT_TRUE(close(pad("constant", {-1, 1}), row({2, 3, 7})));
  EXPECT_TRUE(close(pad("edge", {-1, 2}), row({2, 3, 3, 3})));
  EXPECT_THROW(pad("constant", {-2, -2}), Error);
  EXPECT_THROW(pad("constant", {std::int64_t{1} << 62, 0}), Error);
  EXPECT_THROW(pad("constant", {1}), Error);
  EXPECT_TRUE(close(run("Pad<pads = [1, 0], value = 5.0>(x)", x, {}, {}, 2), row({5, 1, 2, 3})));
  EXPECT_TRUE(close(run("Pad(x, i, , j)", Tensor::of<float>({1, 2}, {1, 2}), {}, {1, 0}, 18, {-1}),
                    Tensor::of<float>({1, 3}, {0, 1, 2})));
}

TEST(DepthToSpace, SpaceToDepthUndoesIt) {
  const Tensor x = random_tensor({2, 8, 3, 5});
  const Tensor y = run("DepthToSpace<blocksize = 2>(x)", x);
  EXPECT_EQ(y.shape(), (Shape{2, 2, 6, 10}));
  EXPECT_TRUE(close(run("SpaceToDepth<blocksize = 2>(x)", y), x));
  EXPECT_TRUE(close(run("DepthToSpace<blocksize = 2, mode = \"CRD\">(x)",
                        Tensor::of<float>({1, 4, 1, 1}, {1, 2, 3, 4})),
                    Tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4})));
  EXPECT_THROW(run("DepthToSpace<blocksize = 3>(x)", x), Error);
}

TEST(Einsum, SumsTransposesAndTakesDiagonals) {
  const Tensor x = Tensor::of<float>({2, 2}, {1, 2, 3, 4}), f = row({10, 100});
  EXPECT_TRUE(close(run("Einsum<equation = \"ij,j->i\">(x, f)", x, f), row({210, 430})));
  EXPECT_TRUE(close(run("Einsum<equation = \"...i->i...\">(x)", x),
                    Tensor::of<float>({2, 2}, {1, 3, 2, 4})));
  EXPECT_TRUE(close(run("Einsum<equation = \"ii\">(x)", x), Tensor::scalar(5.0f)));
  EXPECT_THROW(run("Einsum<equation = \"ijk->i\">(x)", x), Error);
  EXPECT_THROW(run("Einsum<equation = \"ij->k\">(x)", x), Error);
}

}  // namespace
}  // namespace intaglio
