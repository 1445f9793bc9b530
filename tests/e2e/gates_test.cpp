// What a result is judged by: which samples, how sure that is, and what is said of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class GatesEndToEnd : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  Ran quantize(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {
        "--quiet",         "quantize",     data("demo.onnx"),       "--data",
        data("calib"),     "--preprocess", data("preprocess.json"), "-o",
        here("int8.onnx"), "--report",     here("report.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  Json report() const {
    Json report = read_json_file(here("report.json"));
    expect_valid(report);
    return report;
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
};

TEST_F(GatesEndToEnd, AGateIsJudgedByWhatWasNotCalibratedOn) {
  const Ran ran = quantize({"--limit", "30", "--min-agreement", "90"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "70 samples held out of --data")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "gate --min-agreement 90: holds")) << ran.out;
  const Json r = report();
  EXPECT_EQ(r["data"]["samples"], 30);
  EXPECT_EQ(r["evaluation"]["samples"], 70);
  EXPECT_EQ(r["evaluation_source"], "held_out");
  ASSERT_EQ(r["gates"].size(), 1u);
  EXPECT_EQ(r["gates"][0]["name"], "min-agreement");
  EXPECT_EQ(r["gates"][0]["holds"], true);
  EXPECT_EQ(r["gates"][0]["measured"], r["evaluation"]["agreement"]);
  EXPECT_EQ(r["gates"][0]["interval"], r["evaluation"]["intervals"]["agreement"]);
  EXPECT_EQ(r["run"]["options"]["min-agreement"], 90);
}

TEST_F(GatesEndToEnd, FewSamplesThatCannotTellSaySo) {
  const Ran ran = quantize({"--limit", "30", "--min-agreement", "97", "--eval-limit", "12"});
  EXPECT_TRUE(contains(ran.out, "; the interval holds the limit: more samples would tell"))
      << ran.out;
  EXPECT_EQ(report()["gates"][0]["unsure"], true);
}

TEST_F(GatesEndToEnd, WhatWasMissedIsInTheReport) {
  const Ran ran = quantize({"--limit", "30", "--min-sqnr", "90", "--min-cosine", "0.5"});
  EXPECT_EQ(ran.exit_code, 8);
  const Json gates = report()["gates"];
  ASSERT_EQ(gates.size(), 2u);
  EXPECT_EQ(gates[0]["output"], "logits");
  EXPECT_EQ(gates[0]["holds"], false);
  EXPECT_TRUE(contains(ran.err, gates[0]["missed"])) << ran.err;
  EXPECT_EQ(gates[1]["holds"], true);
}

TEST_F(GatesEndToEnd, JunitHasACaseForEachAlsoWhenOneWasMissed) {
  const Ran ran = quantize(
      {"--limit", "30", "--min-sqnr", "90", "--min-agreement", "90", "--junit", here("gates.xml")});
  EXPECT_EQ(ran.exit_code, 8);
  const std::string xml = read_file(here("gates.xml"));
  EXPECT_TRUE(contains(xml, "<testsuite name=\"intaglio quantize\" tests=\"2\" failures=\"1\""))
      << xml;
  EXPECT_TRUE(contains(xml, "name=\"--min-sqnr 90 (output &#39;logits&#39;)\">\n      <failure "))
      << xml;
  const Json missed = report()["gates"][0];
  const double by = 90 - missed["measured"].get<double>();
  EXPECT_TRUE(contains(xml, fmt::format("asks for 90: missed by {:.2f}\"", by))) << xml;
  EXPECT_TRUE(contains(xml, "name=\"--min-agreement 90\">\n      <system-out>asked: 90\n")) << xml;
  EXPECT_TRUE(contains(xml, "70 samples held out of --data")) << xml;
}

TEST_F(GatesEndToEnd, JunitOfEvaluateCheckAndRun) {
  ASSERT_EQ(quantize({"--limit", "30"}).exit_code, 0);
  const auto junit = [&](std::vector<std::string> arguments, int code) {
    arguments.insert(arguments.end(), {"--junit", here("gates.xml")});
    const Ran ran = run_program(arguments);
    EXPECT_EQ(ran.exit_code, code) << ran.err;
    return read_file(here("gates.xml"));
  };
  const std::string evaluated = junit(
      {"evaluate", here("int8.onnx"), "--reference", data("demo.onnx"), "--data", data("calib"),
       "--limit", "20", "--max-top1-drop", "2", "--labels", data("calib/labels.csv")},
      0);
  EXPECT_TRUE(contains(evaluated, "tests=\"1\" failures=\"0\"")) << evaluated;
  EXPECT_TRUE(contains(evaluated, "name=\"--max-top1-drop 2\"")) << evaluated;
  const std::string checked = junit({"check", here("int8.onnx"), "--target", "tensorrt"}, 8);
  EXPECT_TRUE(contains(checked, "<failure type=\"gate\" message=\"does not fit target")) << checked;
  EXPECT_TRUE(contains(checked, "name=\"fits target &#39;tensorrt&#39;\"")) << checked;
  EXPECT_TRUE(contains(junit({"check", here("int8.onnx")}, 0), "failures=\"0\""));
}

TEST_F(GatesEndToEnd, MarkdownHasFiguresAndGates) {
  EXPECT_EQ(quantize({"--limit", "30", "--min-sqnr", "90", "--min-agreement", "50", "--markdown",
                      here("summary.md")})
                .exit_code,
            8);
  const std::string text = read_file(here("summary.md"));
  const Json r = report();
  EXPECT_TRUE(contains(text, "| model | bytes | agreement % | SQNR dB | cosine |")) << text;
  EXPECT_TRUE(contains(text, fmt::format("| quantized | {} | ", r["output"]["bytes"].get<int>())));
  EXPECT_TRUE(contains(text, "| --min-agreement | 50 | 100 | holds |")) << text;
  EXPECT_TRUE(contains(text, "| --min-sqnr of &#39;logits&#39; | 90 | ")) << text;
  EXPECT_TRUE(contains(text, "70 samples held out of --data")) << text;
}

TEST_F(GatesEndToEnd, JunitWithoutAGateIsRefused) {
  const Ran ran = quantize({"--limit", "30", "--junit", here("gates.xml")});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(contains(ran.err, "--junit: there is no gate to tell of")) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(here("gates.xml")));
}

TEST_F(GatesEndToEnd, WithoutOneTheComparisonIsAnImpression) {
  const Ran ran = quantize({"--limit", "30"});
  EXPECT_TRUE(contains(ran.out, "16 samples of the calibration")) << ran.out;
  const Json r = report();
  EXPECT_EQ(r["data"]["samples"], 30);
  EXPECT_EQ(r["evaluation_source"], "seen");
  EXPECT_TRUE(r["gates"].empty());
}

TEST_F(GatesEndToEnd, SamplesThatTheStatisticsHaveSeenAreSaidToBe) {
  const Ran calibrated =
      run_program({"--quiet", "calibrate", data("demo.onnx"), "--data", data("calib"),
                   "--preprocess", data("preprocess.json"), "-o", here("statistics")});
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;
  const std::vector<std::string> judged = {"--calibration", here("statistics"), "--min-sqnr", "1"};
  EXPECT_EQ(quantize(judged).exit_code, 0);
  const Json r = report();
  EXPECT_EQ(r["evaluation_source"], "seen");
  EXPECT_TRUE(contains(r["warnings"].dump(), "give others with --eval-data")) << r["warnings"];
  std::vector<std::string> others = judged;
  others.insert(others.end(), {"--eval-data", data("eval"), "--eval-limit", "10"});
  EXPECT_EQ(quantize(others).exit_code, 0);
  EXPECT_EQ(report()["evaluation_source"], "given");
}

TEST_F(GatesEndToEnd, ALimitOfTheEvaluationCountsInReports) {
  const Ran ran =
      run_program({"--quiet", "compare", data("demo.onnx"), "--data", data("calib"), "--preprocess",
                   data("preprocess.json"), "--method", "minmax", "--eval-limit", "12", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json r = Json::parse(ran.out);
  EXPECT_EQ(r["evaluation_data"]["samples"], 12);
  EXPECT_EQ(r["methods"][0]["evaluation"]["samples"], 12);
}

TEST_F(GatesEndToEnd, EverySampleCanBeLookedAt) {
  const std::vector<std::string> judged = {"--limit", "30", "--min-sqnr", "1"};
  for (const char* name : {"samples.csv", "samples.json"}) {
    std::vector<std::string> more = judged;
    more.insert(more.end(), {"--samples", here(name)});
    const Ran ran = quantize(more);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }
  const Json samples = read_json_file(here("samples.json"))["samples"];
  ASSERT_EQ(samples.size(), 70u);
  EXPECT_TRUE(contains(samples[0]["sample"], ".jpg")) << samples[0];
  EXPECT_TRUE(samples[0]["class"].is_number()) << samples[0];
  for (std::size_t i = 1; i < samples.size(); ++i)
    if (samples[i]["same_class"] == samples[i - 1]["same_class"]) {
      EXPECT_LE(samples[i - 1]["sqnr_db"], samples[i]["sqnr_db"]) << "worst first";
    }
  const std::string csv = read_file(here("samples.csv"));
  EXPECT_EQ(std::ranges::count(csv, '\n'), 71);
  EXPECT_TRUE(csv.starts_with("sample,label,reference_class,")) << csv.substr(0, 60);
}

TEST_F(GatesEndToEnd, ASamplesFileOfNoKindIsRefused) {
  const Ran ran = quantize({"--samples", here("samples.txt")});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(contains(ran.err, "neither .csv nor .json")) << ran.err;
  EXPECT_EQ(quantize({"--samples", here("s.csv"), "--eval-limit", "0"}).exit_code, 2);
}

}  // namespace
}  // namespace intaglio::testing
