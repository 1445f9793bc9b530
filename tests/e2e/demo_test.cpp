// The whole program on the embedded demo, as a user runs it.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/graph/model.h"
#include "lib/io/load.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::data;
using testing::fresh_folder;
using testing::run_program;

std::vector<std::string> quantize_demo(const std::filesystem::path& out,
                                       std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {
      "--quiet",     "quantize",     data("demo.onnx"),       "--data",
      data("calib"), "--preprocess", data("preprocess.json"), "-o",
      out.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Json evaluated(const std::string& model) {
  const auto ran = run_program({"--quiet", "evaluate", model, "--data", data("eval"), "--labels",
                                data("eval/labels.csv"), "--preprocess", data("preprocess.json"),
                                "--reference", data("demo.onnx"), "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return Json::parse(ran.out)["evaluation"];
}

TEST(Demo, PerChannelKeepsTheAccuracyAndPerTensorDoesNot) {
  const auto folder = fresh_folder();
  for (const char* granularity : {"channel", "tensor"}) {
    const auto ran = run_program(quantize_demo(folder / (std::string(granularity) + ".onnx"),
                                               {"--granularity", granularity, "--effort", "fast"}));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }
  const Json channel = evaluated((folder / "channel.onnx").string());
  const Json tensor = evaluated((folder / "tensor.onnx").string());
  const double fp32 = channel["reference"]["top1"];
  EXPECT_GT(fp32, 85);
  EXPECT_LT(fp32, 97);
  EXPECT_GT(channel["top1"].get<double>(), fp32 - 1.5);
  EXPECT_LT(tensor["top1"].get<double>(), fp32 - 3) << "per-tensor weights are visibly worse";
  EXPECT_GT(channel["outputs"][0]["sqnr_db"].get<double>(),
            tensor["outputs"][0]["sqnr_db"].get<double>() + 3);
}

TEST(Demo, IntegersAndTheirSimulationAgree) {
  const auto folder = fresh_folder();
  const std::string model = (folder / "int8.onnx").string();
  ASSERT_EQ(run_program(quantize_demo(model)).exit_code, 0);
  const auto report = [&](const char* exact) {
    const auto ran = run_program({"--quiet", "evaluate", model, "--data", data("eval"), "--labels",
                                  data("eval/labels.csv"), "--preprocess", data("preprocess.json"),
                                  "--reference", data("demo.onnx"), "--json", "--exact", exact});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return Json::parse(ran.out);
  };
  const Json integer = report("integer"), simulated = report("float");
  EXPECT_EQ(integer["execution"]["exact"], "integer");
  EXPECT_GT(integer["execution"]["integer_nodes"].get<int>(), 10);
  for (const Json& node : integer["execution"]["float_nodes"])
    EXPECT_NE(node["op"], "Conv") << node["name"] << ": " << node["reason"];
  EXPECT_EQ(simulated["execution"]["exact"], "float");
  const auto figure = [](const Json& r, const char* key) {
    return r["evaluation"][key].get<double>();
  };
  EXPECT_NEAR(figure(integer, "top1"), figure(simulated, "top1"), 1.0);
  EXPECT_NEAR(figure(integer, "agreement"), figure(simulated, "agreement"), 1.5);
  EXPECT_NEAR(integer["evaluation"]["outputs"][0]["sqnr_db"].get<double>(),
              simulated["evaluation"]["outputs"][0]["sqnr_db"].get<double>(), 1.0);
}

TEST(Demo, SameBytesForAnyNumberOfThreadsAndOrderOfFiles) {
  const auto folder = fresh_folder();
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(data("calib")))
    if (entry.path().extension() != ".csv") files.push_back(entry.path().string());
  std::sort(files.rbegin(), files.rend());
  std::swap(files.front(), files[files.size() / 3]);
  std::ofstream list(folder / "list.txt");
  for (const auto& file : files) list << file << '\n';
  list.close();

  ASSERT_EQ(run_program(quantize_demo(folder / "one.onnx", {"--threads", "1", "--report",
                                                            (folder / "one.json").string()}))
                .exit_code,
            0);
  ASSERT_EQ(run_program(quantize_demo(folder / "three.onnx", {"--threads", "3", "--report",
                                                              (folder / "three.json").string()}))
                .exit_code,
            0);
  for (const char* threads : {"1", "2", "7"})
    ASSERT_EQ(
        run_program(quantize_demo(folder / threads, {"--threads", threads, "--effort", "best"}))
            .exit_code,
        0);
  EXPECT_EQ(read_file(folder / "1"), read_file(folder / "2"));
  EXPECT_EQ(read_file(folder / "1"), read_file(folder / "7"));
  EXPECT_NE(read_file(folder / "1"), read_file(folder / "one.onnx"));
  const auto listed = run_program({"--quiet", "quantize", data("demo.onnx"), "--data",
                                   (folder / "list.txt").string(), "--preprocess",
                                   data("preprocess.json"), "-o", (folder / "list.onnx").string()});
  ASSERT_EQ(listed.exit_code, 0) << listed.err;
  const std::string bytes = read_file(folder / "one.onnx");
  EXPECT_EQ(bytes, read_file(folder / "three.onnx"));
  EXPECT_EQ(bytes, read_file(folder / "list.onnx"));
  Json one = read_json_file(folder / "one.json"), three = read_json_file(folder / "three.json");
  for (Json* report : {&one, &three}) report->erase("run"), (*report)["output"].erase("path");
  EXPECT_EQ(one, three);
}

TEST(Demo, TheReportNamesEveryNodeAndValueOfTheModel) {
  const auto folder = fresh_folder();
  const auto report_file = folder / "report.json";
  ASSERT_EQ(run_program(quantize_demo(folder / "out.onnx",
                                      {"--report", report_file.string(), "--exclude-op", "Add"}))
                .exit_code,
            0);
  const Json report = read_json_file(report_file);
  std::set<std::string> nodes, values;
  for (const Json& node : report["nodes"]) {
    nodes.insert(node["name"]);
    EXPECT_TRUE(node["status"] == "quantized" || node["reason"] != "") << node;
    EXPECT_TRUE(node["op"] != "Add" || node["status"] == "float") << node;
  }
  for (const Json& value : report["values"]) {
    values.insert(value["name"]);
    EXPECT_TRUE(value.contains("scale") || value["reason"] != "") << value;
  }
  const Model model = load_model(data("demo.onnx"));
  for (const Node* node : model.graph().nodes())
    EXPECT_TRUE(nodes.contains(node->name())) << node->label();
  for (const Value* value : model.graph().values())
    EXPECT_TRUE(values.contains(value->name())) << value->name();
}

TEST(Demo, ASavedPlanGivesTheSameModelWithoutData) {
  const auto folder = fresh_folder();
  const std::string plan = (folder / "plan.json").string();
  ASSERT_EQ(run_program(quantize_demo(folder / "a.onnx", {"--save-plan", plan})).exit_code, 0);
  EXPECT_FALSE(read_json_file(plan)["channels"].empty());
  const auto ran = run_program({"--quiet", "quantize", data("demo.onnx"), "--plan", plan, "-o",
                                (folder / "b.onnx").string()});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  Model a = load_model(folder / "a.onnx"), b = load_model(folder / "b.onnx");
  ASSERT_EQ(a.graph().node_count(), b.graph().node_count());
  for (const Value* value : a.graph().values()) {
    if (!value->is_constant()) continue;
    const Value* twin = b.graph().find(value->name());
    ASSERT_NE(twin, nullptr) << value->name();
    EXPECT_EQ(twin->constant().to_vector<double>(), value->constant().to_vector<double>())
        << value->name();
  }
}

TEST(Demo, ActivationsOf16BitsRaiseTheOpset) {
  const auto out = fresh_folder() / "wide.onnx";
  const auto ran = run_program(quantize_demo(out, {"--activations", "u16"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(load_model(out).opset(), 21);
  const Json evaluation = evaluated(out.string());
  EXPECT_GT(evaluation["outputs"][0]["sqnr_db"].get<double>(), 39) << "8 bits give 35";
}

TEST(Demo, GatesExitWith8AndStillWriteTheOutput) {
  const auto folder = fresh_folder();
  const auto ran = run_program(quantize_demo(
      folder / "out.onnx", {"--min-sqnr", "90", "--report", (folder / "r.json").string()}));
  EXPECT_EQ(ran.exit_code, 8);
  EXPECT_NE(ran.err.find("--min-sqnr"), std::string::npos) << ran.err;
  EXPECT_TRUE(std::filesystem::exists(folder / "out.onnx"));
  EXPECT_TRUE(std::filesystem::exists(folder / "r.json"));
}

TEST(Demo, TheComparisonTakesAsManySamplesAsAskedFor) {
  const auto folder = fresh_folder();
  const auto samples = [&](const char* limit) {
    const auto ran =
        run_program(quantize_demo(folder / "out.onnx", {"--eval-limit", limit, "--json"}));
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return Json::parse(ran.out)["evaluation"];
  };
  EXPECT_EQ(samples("5")["samples"], 5);
  EXPECT_TRUE(samples("0").is_null());
  const auto ran =
      run_program(quantize_demo(folder / "none.onnx", {"--eval-limit", "0", "--min-sqnr", "1"}));
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("--eval-limit 0"), std::string::npos) << ran.err;
}

TEST(Demo, ADryRunWritesNothing) {
  const auto folder = fresh_folder();
  const auto ran = run_program(
      {"quantize", data("demo.onnx"), "-o", (folder / "out.onnx").string(), "--dry-run"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_NE(ran.out.find("would be quantized"), std::string::npos);
}

TEST(Demo, OptionsCanStandInAConfigFileAndFlagsWin) {
  const auto folder = fresh_folder();
  std::ofstream(folder / "c.json")
      << R"({"preprocess": ")" << data("preprocess.json") << R"(", "data": [")" << data("calib")
      << R"("], "granularity": "tensor", "limit": 8})";
  const auto ran =
      run_program({"quantize", data("demo.onnx"), "--config", (folder / "c.json").string(),
                   "--granularity", "channel", "--print-config"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json config = Json::parse(ran.out);
  EXPECT_EQ(config["granularity"], "channel");
  EXPECT_EQ(config["limit"], 8);
  std::ofstream(folder / "again.json") << ran.out;
  const auto again = run_program({"quantize", data("demo.onnx"), "--config",
                                  (folder / "again.json").string(), "--print-config"});
  EXPECT_EQ(again.out, ran.out) << again.err;
  const auto fed = run_program(
      {"quantize", data("demo.onnx"), "--config", (folder / "again.json").string(), "--dry-run"});
  EXPECT_EQ(fed.exit_code, 0) << "defaults that are printed are values: " << fed.err;
}

TEST(Demo, RunPrintsClassesAndWritesArrays) {
  const auto folder = fresh_folder();
  const auto ran =
      run_program({"run", data("demo.onnx"), "--data", data("eval/0000.jpg"), "--preprocess",
                   data("preprocess.json"), "--top", "3", "--classes", data("classes.tsv"),
                   "--repeat", "3", "--output-dir", folder.string(), "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  ASSERT_EQ(json["top"].size(), 3u);
  EXPECT_EQ(json["top"][0]["index"], 0);
  EXPECT_NE(json["top"][0]["name"], "");
  for (const char* key : {"min", "median", "p95"})
    EXPECT_GT(json["latency_ms"][key].get<double>(), 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "logits.npy"));
}

TEST(Demo, RunProfilesEveryStep) {
  const auto ran = run_program({"--quiet", "run", data("demo.onnx"), "--data",
                                data("eval/0000.jpg"), "--preprocess", data("preprocess.json"),
                                "--repeat", "3", "--profile", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json report = Json::parse(ran.out);
  double share = 0;
  std::set<std::string> kernels;
  for (const Json& step : report["profile"]) {
    share += step["share"].get<double>();
    kernels.insert(step["kernel"].get<std::string>());
  }
  EXPECT_NEAR(share, 1, 1e-6);
  EXPECT_TRUE(kernels.contains("product")) << "pointwise convolutions run on the fast kernel";
  EXPECT_TRUE(kernels.contains("vector")) << "and depthwise ones";
}

TEST(Demo, RunsInParallelPerSecond) {
  const auto ran = run_program({"--quiet", "--threads", "2", "run", data("demo.onnx"), "--data",
                                data("eval/0000.jpg"), "--preprocess", data("preprocess.json"),
                                "--repeat", "8", "--parallel", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_GT(Json::parse(ran.out)["samples_per_s"].get<double>(), 0);
}

TEST(Demo, InspectTellsTheKernelOfEveryNode) {
  const auto ran = run_program({"inspect", data("demo.onnx"), "--ops", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json ops = Json::parse(ran.out);
  EXPECT_EQ(ops["missing"], 0);
  for (const Json& node : ops["nodes"]) EXPECT_TRUE(node["kernel"].is_string()) << node.dump();
}

}  // namespace
}  // namespace intaglio
