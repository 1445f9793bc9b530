// What targets ask of a file beyond codes: shapes, zero points, opsets. How the runtimes take it:
// scripts/toolchains.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "lib/base/json.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::data;
using testing::fresh_folder;
using testing::Ran;
using testing::run_program;
using Arguments = std::vector<std::string>;

class Targets : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  Ran quantize(const std::string& model, const Arguments& more) const {
    Arguments arguments = {"--quiet", "quantize", model,      "--data",      data("calib"),
                           "-o",      here("o"),  "--report", here("r.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (std::ranges::find(more, "--effort") == more.end())
      arguments.insert(arguments.end(), {"--effort", "fast"});
    return run_program(arguments);
  }
  Ran quantize_demo(Arguments more) const {
    more.insert(more.end(), {"--preprocess", data("preprocess.json")});
    return quantize(data("demo.onnx"), more);
  }
  std::string input_of_output() const {
    return to_string(*load_model(here("o")).graph().feeds().front()->dims());
  }
  void refuse(const Ran& ran, int code, const std::string& text) const {
    EXPECT_EQ(ran.exit_code, code) << ran.err;
    EXPECT_NE(ran.err.find(text), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(here("o")));
  }

 private:
  std::filesystem::path folder_ = fresh_folder();
};

TEST_F(Targets, TheBatchIsFixedWhereItIsAskedFor) {
  const Ran ran = quantize_demo({"--batch", "4", "--min-agreement", "50"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(input_of_output(), "[4,3,48,48]");
  EXPECT_NE(ran.out.find("input 'image' [N,3,48,48] is [4,3,48,48] in the file"), std::string::npos)
      << ran.out;
  const Json fixed = read_json_file(here("r.json"))["output"]["shapes_fixed"];
  ASSERT_EQ(fixed.size(), 1U);
  EXPECT_EQ(fixed[0]["after"], "[4,3,48,48]");
}

TEST_F(Targets, OneThatNeedsShapesGetsThem) {
  for (const char* target : {"qnn", "rknn"}) {
    const Ran ran = quantize_demo({"--target", target});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(input_of_output(), "[1,3,48,48]");
    EXPECT_EQ(run_program({"check", here("o"), "--target", target}).exit_code, 0);
  }
  ASSERT_EQ(quantize_demo({}).exit_code, 0);
  EXPECT_EQ(input_of_output(), "[N,3,48,48]") << "others keep what the model says";
  const Ran check = run_program({"check", here("o"), "--target", "qnn"});
  EXPECT_EQ(check.exit_code, 8);
  EXPECT_NE(check.out.find("lengths that are not known"), std::string::npos) << check.out;
  EXPECT_NE(check.out.find("--batch 1"), std::string::npos) << check.out;
}

// Biases take up what rounding shifts, whether they are codes in the end or not.
TEST_F(Targets, FloatBiasesAreCorrectedToo) {
  for (const std::string target : {"tensorrt", "onnxruntime"}) {
    const Ran ran = quantize_demo({"--target", target, "--effort", "balanced"});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const Json report = read_json_file(here("r.json"));
    EXPECT_GT(report["refine"]["bias_correction"]["layers"], 10) << target;
    std::size_t biases = 0;
    for (const Json& value : report["values"]) biases += value["kind"] == "bias";
    EXPECT_EQ(biases > 0, target == "onnxruntime") << "of codes";
  }
}

// Rockchip's compiler rounds anew what has zero points of 0.
TEST_F(Targets, RknnHasNoZeroPointOfSymmetricCodes) {
  ASSERT_EQ(quantize_demo({"--target", "rknn"}).exit_code, 0);
  const auto zeros = [&] {
    std::size_t found = 0;
    const Json report = read_json_file(here("r.json"));
    for (const Json& value : report["values"])
      if (value["type"] == "int8")
        for (const Json& zero : value["zero_point"]) found += zero == 0;
    return found;
  };
  EXPECT_EQ(zeros(), 0U);
  ASSERT_EQ(quantize_demo({"--target", "stm32n6"}).exit_code, 0);
  EXPECT_GT(zeros(), 0U);
  std::filesystem::remove(here("o"));
  refuse(quantize_demo({"--target", "tensorrt", "--no-zero-zero-points"}), 3, "zero point 0 alone");
}

TEST_F(Targets, ImagesHaveTheSizeOfTheShapeWhereTheModelLeavesItOpen) {
  const std::string model = here("open.onnx");
  save_model(
      testing::TextModel().typed("(float[N,3,H,W] x) => (float[N,4,H,W] y) <float[4,3,1,1] w = "
                                 "{1,2,3,4,5,6,7,8,9,1,2,3}> { y = Conv(x, w) }"),
      model);
  const Ran ran =
      quantize(model, {"--shape", "x=1x3x40x56", "--preprocess", "raw", "--target", "qnn"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(input_of_output(), "[1,3,40,56]");
  EXPECT_EQ(read_json_file(here("r.json"))["data"]["preprocess"]["crop"], "56x40");
}

TEST_F(Targets, WhatCannotBeFixedIsToldBeforeAnythingIsMeasured) {
  refuse(quantize_demo({"--shape", "image=1x3x48x49"}), 2, "49 for axis 3 of [N,3,48,48]");
  refuse(quantize_demo({"--shape", "picture=1x3x48x48"}), 2, "no such input");
  refuse(quantize_demo({"--shape", "image=1x3x48"}), 2, "has 3 lengths");
  refuse(quantize_demo({"--shape", "image=1,3,48,48"}), 2, "--shape image=1,3,48,48");
  refuse(quantize_demo({"--batch", "0"}), 2, "--batch");
  const std::string model = here("open.onnx");
  save_model(
      testing::TextModel().typed("(float[N,3,H,48] x) => (float[N,4,H,48] y) <float[4,3,1,1] w = "
                                 "{1,2,3,4,5,6,7,8,9,1,2,3}> { y = Conv(x, w) }"),
      model);
  refuse(quantize(model, {"--target", "rknn", "--preprocess", "raw"}), 6,
         "input 'x' [1,3,H,48]: target 'rknn' needs all lengths");
}

// No annotation tells that a constant inside wants another length: the model is tried.
TEST_F(Targets, LengthsThatConstantsInsideDoNotTakeAreRefused) {
  const std::string weights =
      "<float[4,3,1,1] w = {1,2,3,4,5,6,7,8,9,1,2,3}, int64[2] flat = {1,256}, "
      "int64[1] first = {0}> ";
  const auto refused = [&](const std::string& graph, const Arguments& more,
                           const std::string& part) {
    save_model(testing::TextModel().typed("(float[N,3,8,8] x) => " + graph), here("m.onnx"));
    Arguments arguments = {"--preprocess", "raw"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    refuse(quantize(here("m.onnx"), arguments), 2, part);
  };
  refused("(float[M,256] y) " + weights + "{ c = Conv(x, w) y = Reshape(c, flat) }",
          {"--batch", "2"}, "Reshape node making 'y'");
  refused("(float[4,8,8] y) " + weights + "{ c = Conv(x, w) y = Squeeze(c, first) }",
          {"--batch", "2"}, "Squeeze node making 'y'");
  refused("(float[N,4,8,8] y) " + weights + "{ y = Conv(x, w) }",
          {"--shape", "x=1x3x8x8", "--batch", "2"}, "no input leaves its first axis open");
}

}  // namespace
}  // namespace intaglio
