// The reports of the program against docs/report.schema.json, and the schema against wrong reports.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

std::string in_source(const char* path) { return (source_dir() / path).string(); }

class ReportSchema : public ::testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  std::string here(const char* name) const { return (folder_ / name).string(); }

  std::vector<std::string> errors(const Json& report) const { return schema_.errors(report); }

  // Runs the program with --report and returns the report.
  Json report_of(Arguments arguments, const Arguments& more) const {
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {"--report", here("report.json")});
    const Ran ran = run_program(arguments);
    if (ran.exit_code != 0) throw std::runtime_error("the program failed: " + ran.err);
    return read_json_file(here("report.json"));
  }
  Json quantize(const Arguments& options) const {
    return report_of({"quantize", in_source("data/demo.onnx"), "-o", here("int8.onnx")}, options);
  }
  Json quantize_with_data(Arguments options) const {
    options.insert(options.end(), {"--data", in_source("data/calib"), "--limit", "5",
                                   "--preprocess", in_source("data/preprocess.json")});
    return quantize(options);
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
  const JsonSchema schema_{read_json_file(source_dir() / "docs/report.schema.json")};
};

TEST_F(ReportSchema, HoldsForQuantize) {
  const Json report = quantize_with_data({});
  expect_valid(report);
  EXPECT_EQ(report["schema"], "intaglio.report/1");
}

TEST_F(ReportSchema, HoldsForCompare) {
  const Json report = report_of(
      {"compare", in_source("data/demo.onnx")},
      {"--data", in_source("data/calib"), "--limit", "12", "--preprocess",
       in_source("data/preprocess.json"), "--labels", in_source("data/calib/labels.csv")});
  expect_valid(report);
  EXPECT_EQ(report["schema"], "intaglio.compare/1");
  EXPECT_EQ(report["methods"].size(), 4u);
}

TEST_F(ReportSchema, HoldsForNodesLeftFloatLabelsAndPerTensorWeights) {
  const Json report = quantize_with_data({"--exclude-op", "Add", "--granularity", "tensor",
                                          "--labels", in_source("data/calib/labels.csv")});
  expect_valid(report);
  EXPECT_TRUE(std::any_of(report["nodes"].begin(), report["nodes"].end(),
                          [](const Json& node) { return node["status"] == "float"; }));
  EXPECT_TRUE(report["evaluation"]["top1"].is_number());
}

TEST_F(ReportSchema, HoldsForAPlanWithoutData) {
  quantize_with_data({"--save-plan", here("plan.json")});
  const Json report = quantize({"--plan", here("plan.json")});
  expect_valid(report);
  EXPECT_TRUE(report["data"].is_null());
}

TEST_F(ReportSchema, HoldsForEveryForm) {
  for (const Arguments& form : {Arguments{"--format", "qoperator"},
                                {"--format", "qoperator", "--contrib"},
                                {"--io", "s8"},
                                {"--format", "dynamic"},
                                {"--format", "weights"},
                                {"--format", "weights", "--weights", "fp16"},
                                {"--float16", "--exclude", "/block5/.*"}})
    expect_valid(quantize_with_data(form));
  expect_valid(quantize({"--format", "dynamic"}));
}

TEST_F(ReportSchema, HoldsForEvaluate) {
  const std::string model = in_source("data/demo.onnx");
  const Json report =
      report_of({"evaluate", model, "--reference", model},
                {"--data", in_source("data/eval"), "--labels", in_source("data/eval/labels.csv"),
                 "--limit", "5", "--preprocess", in_source("data/preprocess.json")});
  expect_valid(report);
  EXPECT_EQ(report["schema"], "intaglio.evaluation/1");
}

// --- That the schema can say no ---

struct Fault {
  const char* name;
  void (*make)(Json& report);
};

Json& first(Json& list, const char* key, const char* word) {
  return *std::find_if(list.begin(), list.end(),
                       [&](const Json& item) { return item[key] == word; });
}

const Fault faults[] = {
    {"AMissingPart", [](Json& r) { r.erase("values"); }},
    {"AMissingKeyBelow", [](Json& r) { r["model"].erase("sha256"); }},
    {"AnUnknownSchema", [](Json& r) { r["schema"] = "intaglio.report/2"; }},
    {"ANumberAsText", [](Json& r) { r["model"]["bytes"] = "177430"; }},
    {"AHashThatIsNone", [](Json& r) { r["output"]["sha256"] = "none"; }},
    {"AFraction", [](Json& r) { r["data"]["samples"] = 2.5; }},
    {"ANegativeCount", [](Json& r) { r["passes"]["dead_dropped"] = -1; }},
    {"APercentageBeyond100", [](Json& r) { r["evaluation"]["agreement"] = 100.5; }},
    {"AnUnknownStatus", [](Json& r) { r["nodes"][0]["status"] = "skipped"; }},
    {"AFloatNodeWithoutReason",
     [](Json& r) {
       r["nodes"][0]["status"] = "float";
       r["nodes"][0]["reason"] = "";
     }},
    {"AScaleThatIsNoList", [](Json& r) { first(r["values"], "kind", "weight")["scale"] = 0.5; }},
    {"AScaleOfZero", [](Json& r) { first(r["values"], "kind", "weight")["scale"][0] = 0.0; }},
    {"TwoScalesOfAnActivation",
     [](Json& r) { first(r["values"], "name", "image")["scale"].push_back(1.0); }},
    {"NumbersOfAFloatValue",
     [](Json& r) { first(r["values"], "kind", "constant")["scale"] = Json::array({1.0}); }},
    {"AFloatValueWithoutReason",
     [](Json& r) { first(r["values"], "kind", "constant").erase("reason"); }},
};

TEST_F(ReportSchema, RefusesFaults) {
  const Json report = quantize_with_data({});
  ASSERT_TRUE(errors(report).empty());
  for (const Fault& fault : faults) {
    Json wrong = report;
    fault.make(wrong);
    EXPECT_FALSE(errors(wrong).empty()) << fault.name << " passes";
  }
}

TEST(JsonSchema, RefusesKeywordsThatItDoesNotKnow) {
  EXPECT_THROW(JsonSchema(Json{{"maxLength", 3}}).errors("four"), std::logic_error);
}

}  // namespace
}  // namespace intaglio::testing
