// analyze and --keep-float on the embedded demo, as a user runs them.
#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class Analysis : public ::testing::Test {
 protected:
  std::string here(const char* name) const { return (folder_ / name).string(); }

  Ran run(const char* command, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"--quiet", command,        data("demo.onnx"),
                                          "--data",  data("calib"),  "--limit",
                                          "40",      "--preprocess", data("preprocess.json")};
    if (std::string_view(command) == "quantize")
      arguments.insert(arguments.end(), {"-o", here("int8.onnx")});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  Json report(const char* command, std::vector<std::string> more, int exit_code = 0) const {
    more.insert(more.end(), {"--report", here("report.json")});
    const Ran ran = run(command, more);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    Json report = read_json_file(here("report.json"));
    expect_valid(report);
    return report;
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
};

TEST_F(Analysis, RanksEveryLayer) {
  const Json analysis = report("analyze", {})["analysis"];
  const Json& layers = analysis["layers"];
  ASSERT_GT(layers.size(), 3u);
  double shares = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(layers[i]["rank"], i + 1);
    shares += layers[i]["macs_share"].get<double>();
    if (i > 0) {
      EXPECT_LE(layers[i]["noise_share"], layers[i - 1]["noise_share"]);
    }
    EXPECT_GT(layers[i]["alone_quantized"]["sqnr_db"], analysis["quantized"]["sqnr_db"]);
  }
  EXPECT_NEAR(shares, 100, 1);
  EXPECT_EQ(analysis["samples"], 32) << "of 40";
}

TEST_F(Analysis, SaysTheSameForAnyNumberOfThreads) {
  const Json one = report("analyze", {"--threads", "1"});
  const Json three = report("analyze", {"--threads", "3"});
  EXPECT_EQ(one["analysis"], three["analysis"]);
}

TEST_F(Analysis, KeepsAsManyLayersAsAskedFor) {
  const Json all = report("quantize", {"--effort", "fast"});
  const Json some = report("quantize", {"--effort", "fast", "--keep-float", "2"});
  EXPECT_TRUE(all["keep_float"].is_null());
  EXPECT_EQ(some["keep_float"]["layers"].size(), 2u);
  EXPECT_GT(some["evaluation"]["outputs"][0]["sqnr_db"],
            all["evaluation"]["outputs"][0]["sqnr_db"]);
  std::size_t kept = 0;
  for (const Json& node : some["nodes"])
    kept += node["reason"].get<std::string>().find("--keep-float") != std::string::npos;
  EXPECT_GE(kept, 2u);
}

TEST_F(Analysis, SearchesTheCheapestLayersWithWhichAGateHolds) {
  const Json all = report("quantize", {"--min-sqnr", "0"});
  const double db = all["evaluation"]["outputs"][0]["sqnr_db"];
  const Json found = report("quantize", {"--keep-float", "auto", "--min-sqnr",
                                         std::to_string(db + 4), "--save-plan", here("plan.json")});
  EXPECT_EQ(found["keep_float"]["met"], true);
  EXPECT_GE(found["evaluation"]["outputs"][0]["sqnr_db"].get<double>(), db + 4);
  EXPECT_GT(found["keep_float"]["layers"].size(), 0u);
  EXPECT_LT(found["keep_float"]["share"].get<double>(), 100);
  for (const Json& trial : found["keep_float"]["trials"])
    if (trial["missed"].empty()) {
      EXPECT_GE(trial["share"], found["keep_float"]["share"]);
    }
  const Json again = report("quantize", {"--plan", here("plan.json")});
  EXPECT_EQ(again["nodes"], found["nodes"]) << "the plan repeats it";
}

TEST_F(Analysis, ASearchShowsItsGoalAndWhatEachTryCosts) {
  const Json found = report("quantize", {"--keep-float", "auto", "--min-cosine", "0.99995"});
  for (const Json& trial : found["keep_float"]["trials"]) {
    EXPECT_TRUE(trial["reached"].contains("cosine")) << trial;
    EXPECT_GE(trial["macs_percent"].get<double>(), 0);
  }
  const Ran ran = run("quantize", {"--keep-float", "auto", "--min-cosine", "0.99995"});
  EXPECT_NE(ran.out.find("kept float  MACs %    cosine"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("% of MACs: "), std::string::npos) << ran.out;
}

TEST_F(Analysis, NothingIsKeptWhenTheGateHoldsAnyway) {
  const Json found = report("quantize", {"--keep-float", "auto", "--min-sqnr", "1"});
  EXPECT_EQ(found["keep_float"]["layers"].size(), 0u);
  EXPECT_EQ(found["keep_float"]["met"], true);
}

TEST_F(Analysis, AGateThatNothingMeetsLeavesTheBestModel) {
  const Json found = report("quantize", {"--keep-float", "auto", "--min-sqnr", "200"}, 8);
  EXPECT_EQ(found["keep_float"]["met"], false);
  EXPECT_TRUE(std::filesystem::exists(here("int8.onnx")));
  double best = 0;
  for (const Json& trial : found["keep_float"]["trials"])
    best = std::max(best, trial["sqnr_db"].get<double>());
  EXPECT_NEAR(found["evaluation"]["outputs"][0]["sqnr_db"].get<double>(), best, 1e-6);
}

TEST_F(Analysis, WhatStaysFloatFitsTheTarget) {
  for (const char* target : {"onnxruntime", "tensorrt", "qnn"}) {
    const Json kept = report("quantize", {"--target", target, "--keep-float", "3"});
    EXPECT_EQ(kept["keep_float"]["layers"].size(), 3u);
    const Ran ran = run_program({"--quiet", "check", here("int8.onnx"), "--target", target});
    EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
    EXPECT_NE(ran.out.find("its weights are float"), std::string::npos) << ran.out;
  }
}

TEST_F(Analysis, RaisesLayersTo16BitsInPlaceOfFloat) {
  const Json all = report("quantize", {"--target", "qnn"});
  const Json some = report("quantize", {"--target", "qnn", "--keep-float", "6", "--keep-as",
                                        "16bit", "--save-plan", here("plan.json")});
  EXPECT_EQ(some["keep_float"]["as"], "16bit");
  EXPECT_EQ(some["keep_float"]["layers"].size(), 6u);
  EXPECT_GT(some["evaluation"]["outputs"][0]["sqnr_db"],
            all["evaluation"]["outputs"][0]["sqnr_db"]);
  std::size_t raised = 0, wide = 0;
  for (const Json& node : some["nodes"]) {
    EXPECT_NE(node["status"], "float");
    raised += node["reason"].get<std::string>().find("16 bits") != std::string::npos;
  }
  for (const Json& value : some["values"]) wide += value["type"] == "uint16";
  EXPECT_GE(raised, 6u);
  EXPECT_GE(wide, 1u);
  const Ran check = run_program({"--quiet", "check", here("int8.onnx"), "--target", "qnn"});
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
  const Json again = report("quantize", {"--target", "qnn", "--plan", here("plan.json")});
  EXPECT_EQ(again["evaluation"], some["evaluation"]) << "the plan repeats it";
}

TEST_F(Analysis, RaisesTheCheapestLayersWithWhichAGateHolds) {
  const Json all = report("quantize", {"--target", "qnn", "--min-sqnr", "0"});
  const double db = all["evaluation"]["outputs"][0]["sqnr_db"];
  const Json found = report("quantize", {"--target", "qnn", "--keep-float", "auto", "--keep-as",
                                         "16bit", "--min-sqnr", std::to_string(db + 1)});
  EXPECT_EQ(found["keep_float"]["met"], true);
  EXPECT_GE(found["evaluation"]["outputs"][0]["sqnr_db"].get<double>(), db + 1);
}

TEST_F(Analysis, SaysWhereARaisedLayerGainsNothing) {
  const Json onnxruntime = report("quantize", {"--keep-float", "2", "--keep-as", "16bit"});
  EXPECT_NE(onnxruntime["warnings"].dump().find("layers that are kept float are faster there"),
            std::string::npos);
  const Ran check = run_program({"--quiet", "check", here("int8.onnx")});
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
  EXPECT_EQ(run("quantize", {"--keep-float", "2", "--keep-as", "16bit", "--target", "tensorrt"})
                .exit_code,
            3);
}

TEST_F(Analysis, ADryRunSaysThatLayersAreChosenLater) {
  const Ran ran = run("quantize", {"--keep-float", "2", "--dry-run"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_NE(ran.out.find("--keep-float chooses among these"), std::string::npos) << ran.out;
}

TEST_F(Analysis, OptionsThatContradictAreNamed) {
  const auto expect_usage = [&](const std::vector<std::string>& options, const char* words) {
    const Ran ran = run("quantize", options);
    EXPECT_EQ(ran.exit_code, 2) << ran.err;
    EXPECT_NE(ran.err.find(words), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(here("int8.onnx")));
  };
  expect_usage({"--keep-float", "some"}, "neither a count nor auto");
  expect_usage({"--keep-float", "1000"}, "nothing is left to quantize");
  expect_usage({"--keep-float", "auto"}, "needs something to reach");
  expect_usage({"--keep-float", "1", "--format", "weights"}, "no layers to choose from");
  expect_usage({"--keep-as", "16bit"}, "the layers of --keep-float");
  expect_usage({"--keep-float", "1", "--keep-as", "16bit", "--format", "qoperator"}, "have 8 bits");
  expect_usage({"--keep-float", "auto", "--max-top1-drop", "1", "--eval-data", data("eval"),
                "--labels", data("eval/labels.csv")},
               "labels of the calibration data");
  EXPECT_EQ(run("analyze", {"--format", "dynamic"}).exit_code, 2);
  EXPECT_EQ(run("analyze", {"--effort", "most"}).exit_code, 2);
}

}  // namespace
}  // namespace intaglio::testing
