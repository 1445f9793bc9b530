#include <fmt/format.h>

#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TextModel text_of(const std::string& attributes, const std::string& arguments,
                  const std::string& x = "float[2,3,6,8] x") {
  return TextModel()
      .opset(18)
      .input(x)
      .output("y")
      .constants("float[2] s = {1.5, 2}, int64[2] n = {9, 16}")
      .nodes(fmt::format("y = Resize <{}> ({})", attributes, arguments));
}

const Tensor image = random_tensor({2, 3, 6, 8});

TEST(ResizeAxes, ScalesAndSizesNameAllAxes) {
  for (const char* axes : {"axes = [2, 3]", "axes = [-2, -1]", "axes = [3, 2]"})
    for (const char* arguments : {"x, , s", "x, , , n"}) {
      const Model model = same_after(
          {"resize_axes"}, text_of(fmt::format("{}, mode = \"linear\"", axes), arguments), {image});
      EXPECT_FALSE(find_op(model.graph(), "Resize")->has("axes"));
    }
}

// The batch is not known: sizes become scales.
TEST(ResizeAxes, KeepsABatchThatIsNotKnown) {
  const Model model = same_after({"resize_axes"},
                                 text_of("axes = [2, 3]", "x, , , n", "float[N,3,6,8] x"), {image});
  const Node& resize = *find_op(model.graph(), "Resize");
  EXPECT_EQ(resize.input(2)->constant().to_vector<float>(), (std::vector<float>{1, 1, 1.5f, 2}));
  EXPECT_EQ(resize.input(3), nullptr);
}

TEST(ResizeAxes, WorksAPolicyIn) {
  for (const char* policy : {"not_larger", "not_smaller"}) {
    const Model model = same_after(
        {"resize_axes"},
        text_of(fmt::format("axes = [2, 3], mode = \"linear\", keep_aspect_ratio_policy = \"{}\"",
                            policy),
                "x, , , n"),
        {image});
    EXPECT_FALSE(find_op(model.graph(), "Resize")->has("keep_aspect_ratio_policy"));
  }
}

// 7 * 1.5 is rounded up under a policy, and down by a scale; no Transpose goes through a Reshape.
TEST(ResizeAxes, WhatNoScaleGivesIsWalledIn) {
  const std::string policy = "axes = [2, 3], keep_aspect_ratio_policy = \"not_larger\"";
  for (const std::string x : {"float[2,3,6,7] x", "float[N,3,6,7] x", "float[N,3,H,W] x"})
    EXPECT_EQ(ops_of(same_after({"resize_axes"}, text_of(policy, "x, , , n", x),
                                {random_tensor({2, 3, 6, 7})})
                         .graph()),
              "Reshape Resize Reshape")
        << x;
  Model model = text_of(policy, "x, , , n", "float[1,3,6,7] x").model();
  prepare(model);
  EXPECT_EQ(ops_of(model.graph()), "Reshape Resize Reshape");
}

// No number has so many elements: nothing is multiplied.
TEST(ResizeAxes, LengthsThatNobodyCanCountStay) {
  const std::string policy = "axes = [2, 3], keep_aspect_ratio_policy = \"not_larger\"";
  const std::string far = "9223372036854775807";
  Model model = text_of(policy, "x, , , n", "float[" + far + "," + far + ",6,H] x").model();
  EXPECT_EQ(run_pass("resize_axes", model), 0);
}

TEST(ResizeAxes, RegionsOfInterestStay) {
  Model model =
      text_of("axes = [2, 3], coordinate_transformation_mode = \"tf_crop_and_resize\"", "x, s, s")
          .typed();
  EXPECT_EQ(run_pass("resize_axes", model), 0);
  Model unknown = text_of("axes = [2, 3]", "x, , , n", "float[] x").model();
  EXPECT_EQ(run_pass("resize_axes", unknown), 0);
}

}  // namespace
}  // namespace intaglio::testing
