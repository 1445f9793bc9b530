// calibrate, merge, compare and --calibration, as a user runs them.
#include <gtest/gtest.h>

#include <algorithm>

#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::data;
using testing::fresh_folder;
using testing::run_program;

std::vector<std::string> with_data(std::vector<std::string> arguments,
                                   const std::vector<std::string>& more = {}) {
  arguments.insert(arguments.begin(), "--quiet");
  arguments.insert(arguments.end(), {"--data", data("calib"), "--preprocess",
                                     data("preprocess.json"), "--limit", "24"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

class Calibration : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  std::string calibrated(const std::string& name, const std::vector<std::string>& more = {}) const {
    const auto ran =
        run_program(with_data({"calibrate", data("demo.onnx"), "-o", here(name)}, more));
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return read_file(here(name));
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
};

// The usual margin around a crop, of images that were made for the model, is a surprise.
TEST_F(Calibration, ImagesOfTheInputsSizeAreNotEnlargedInSilence) {
  const auto said = [this](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "calibrate", data("demo.onnx"), "--data", data("eval"), "--limit", "3", "-o", here("s")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto ran = run_program(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const std::string words = "images of its size are enlarged to 55x55";
    const auto at = ran.err.find(words);
    EXPECT_EQ(ran.err.find(words, at + 1), std::string::npos) << "more than once: " << ran.err;
    arguments.insert(arguments.end(), {"--json", "--quiet"});
    const std::string report = run_program(arguments).out;
    EXPECT_EQ(report.find(words) != std::string::npos, at != std::string::npos) << report;
    return at != std::string::npos;
  };
  EXPECT_TRUE(said({"--preprocess", "raw"}));
  EXPECT_FALSE(said({"--preprocess", "raw", "--resize", "none"}));
  EXPECT_FALSE(said({"--preprocess", "raw", "--resize", "55"})) << "that is what was asked for";
}

TEST_F(Calibration, FourShardsInFourProcessesMergeIntoOneRun) {
  const std::string whole = calibrated("whole");
  std::vector<std::thread> processes;
  for (int i = 1; i <= 4; ++i)
    processes.emplace_back([this, i] {
      calibrated("part" + std::to_string(i), {"--shard", std::to_string(i) + "/4"});
    });
  for (std::thread& p : processes) p.join();
  const auto ran = run_program(
      {"merge", here("part3"), here("part1"), here("part4"), here("part2"), "-o", here("merged")});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(read_file(here("merged")), whole);
}

// As docs/scaling.md has it: what the default does beyond statistics, bias correction, takes --data.
TEST_F(Calibration, ShardsMergedAndQuantizedGiveTheModelOfOneRun) {
  for (const char* shard : {"1/3", "2/3", "3/3"})
    calibrated(std::string("part") + shard[0], {"--shard", shard});
  ASSERT_EQ(run_program({"--quiet", "merge", here("part1"), here("part2"), here("part3"), "-o",
                         here("merged")})
                .exit_code,
            0);
  const auto quantized = [this](const char* name, const std::vector<std::string>& more) {
    const auto ran =
        run_program(with_data({"quantize", data("demo.onnx"), "-o", here(name)}, more));
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return read_file(here(name));
  };
  const std::string one_run = quantized("one.onnx", {});
  EXPECT_EQ(quantized("shards.onnx", {"--calibration", here("merged")}), one_run);
  EXPECT_NE(quantized("fast.onnx", {"--effort", "fast"}), one_run) << "biases make a difference";
}

TEST_F(Calibration, SameBytesForAnyNumberOfThreadsAndOrderOfFiles) {
  const std::string whole = calibrated("one", {"--threads", "1"});
  EXPECT_EQ(calibrated("two", {"--threads", "2"}), whole);
  EXPECT_EQ(calibrated("seven", {"--threads", "7"}), whole);
  std::ofstream list(here("list.txt"));
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(data("calib")))
    if (entry.path().extension() != ".csv") files.insert(entry.path().string());
  for (auto it = files.rbegin(); it != files.rend(); ++it) list << *it << "\n";
  list.close();
  const auto ran =
      run_program({"--quiet", "calibrate", data("demo.onnx"), "--data", here("list.txt"),
                   "--preprocess", data("preprocess.json"), "--limit", "24", "-o", here("listed")});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(read_file(here("listed")), whole);
}

TEST_F(Calibration, FromAFileGivesTheSameModelAsFromTheData) {
  calibrated("stats");
  std::set<std::string> models;
  for (const char* method : {"minmax", "percentile:p=99.9", "mse", "entropy"}) {
    const auto from_data =
        run_program(with_data({"quantize", data("demo.onnx"), "--refine", "shift,equalization",
                               "--method", method, "-o", here("a.onnx")}));
    ASSERT_EQ(from_data.exit_code, 0) << from_data.err;
    const auto from_file = run_program({"--quiet", "quantize", data("demo.onnx"), "--refine",
                                        "none", "--method", method, "--calibration", here("stats"),
                                        "-o", here("b.onnx"), "--report", here("b.json")});
    ASSERT_EQ(from_file.exit_code, 0) << from_file.err;
    EXPECT_EQ(read_file(here("a.onnx")), read_file(here("b.onnx"))) << method;
    EXPECT_EQ(read_json_file(here("b.json"))["data"]["samples"], 24);
    models.insert(read_file(here("b.onnx")));
  }
  EXPECT_EQ(models.size(), 4u) << "four methods, four models";
}

TEST_F(Calibration, AnotherEqualizationDoesNotMerge) {
  calibrated("first", {"--shard", "1/2"});
  calibrated("plain", {"--shard", "2/2", "--effort", "fast"});
  const auto refused = run_program({"merge", here("first"), here("plain"), "-o", here("merged")});
  EXPECT_EQ(refused.exit_code, 7);
  EXPECT_NE(refused.err.find("another equalization"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--like"), std::string::npos);
  calibrated("alike", {"--shard", "2/2", "--effort", "fast", "--like", here("first")});
  const auto ran = run_program({"merge", here("first"), here("alike"), "-o", here("merged")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(read_file(here("merged")), calibrated("whole"));
}

TEST_F(Calibration, AFileWithoutEqualizationIsSaid) {
  calibrated("plain", {"--effort", "fast"});
  const auto ran = run_program({"quantize", data("demo.onnx"), "--calibration", here("plain"), "-o",
                                here("x.onnx"), "--report", here("x.json")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.err.find("measured without equalization"), std::string::npos) << ran.err;
  EXPECT_TRUE(read_json_file(here("x.json"))["refine"]["equalization"].is_null());
}

TEST_F(Calibration, AFileOfAnotherModelIsRefused) {
  calibrated("stats");
  const auto other = run_program({"quantize", data("demo.onnx"), "--calibration", here("stats"),
                                  "-o", here("x.onnx"), "--exclude-op", "Gemm"});
  EXPECT_EQ(other.exit_code, 0) << "fewer values are needed: " << other.err;
  const auto quantized =
      run_program(with_data({"quantize", data("demo.onnx"), "-o", here("q.onnx")}));
  ASSERT_EQ(quantized.exit_code, 0);
  std::string bytes = read_file(here("stats"));
  bytes.resize(bytes.size() / 2);
  write_file(here("cut"), bytes);
  const auto cut = run_program(
      {"quantize", data("demo.onnx"), "--calibration", here("cut"), "-o", here("x.onnx")});
  EXPECT_EQ(cut.exit_code, 7);
  EXPECT_NE(cut.err.find("checksum"), std::string::npos) << cut.err;
  const auto none = run_program(
      {"quantize", data("demo.onnx"), "--calibration", here("absent"), "-o", here("x.onnx")});
  EXPECT_EQ(none.exit_code, 4);
}

TEST_F(Calibration, InspectShowsWhatAFileHolds) {
  calibrated("part", {"--shard", "2/4"});
  const auto ran = run_program({"inspect", here("part"), "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(json["kind"], "statistics");
  EXPECT_EQ(json["samples"], 6);
  EXPECT_EQ(json["shards"]["of"], 4);
  EXPECT_GT(json["values"].size(), 10u);
  EXPECT_NE(run_program({"inspect", here("part")}).out.find("holds 1 of 4 shards"),
            std::string::npos);
}

TEST_F(Calibration, BadMethodsSayWhatWasMeant) {
  const auto typo = run_program(
      with_data({"quantize", data("demo.onnx"), "--method", "entrpoy", "-o", here("x.onnx")}));
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_NE(typo.err.find("Did you mean 'entropy'?"), std::string::npos) << typo.err;
  const auto bounds =
      run_program(with_data({"compare", data("demo.onnx"), "--method", "percentile:p=49"}));
  EXPECT_EQ(bounds.exit_code, 2);
  const auto twice = run_program(
      with_data({"compare", data("demo.onnx"), "--method", "mse", "--method", "mse:norm=2"}));
  EXPECT_EQ(twice.exit_code, 2);
  EXPECT_NE(twice.err.find("given twice"), std::string::npos) << twice.err;
  const auto p = run_program(with_data({"quantize", data("demo.onnx"), "--method",
                                        "percentile:p=99.9999999", "-o", here("x.onnx")}));
  EXPECT_EQ(p.exit_code, 7);
  EXPECT_NE(p.err.find("no value was observed often enough"), std::string::npos) << p.err;
}

TEST_F(Calibration, AKilledRunLeavesTheOldFile) {
  write_file(here("stats"), "old");
  std::string command = "'" + std::string(INTAGLIO_BINARY) + "' calibrate '" + data("demo.onnx") +
                        "' --data '" + data("eval") + "' --preprocess '" + data("preprocess.json") +
                        "' -o '" + here("stats") +
                        "' >/dev/null 2>&1 & p=$!; sleep 0.02; kill -9 $p; wait $p";
  ASSERT_NE(std::system(command.c_str()), -1);
  const std::string now = read_file(here("stats"));
  EXPECT_TRUE(now == "old" || now.starts_with("intaglio.statistics/1\n")) << "half of a file";
}

TEST_F(Calibration, ComparePutsTheMethodsSideBySide) {
  const auto ran = run_program(with_data(
      {"compare", data("demo.onnx"), "--eval-data", data("eval"), "--labels",
       data("eval/labels.csv"), "--method", "minmax", "--method", "percentile:p=99.9", "--method",
       "mse", "--json", "-o", here("best.onnx"), "--report", here("c.json")}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json report = Json::parse(ran.out);
  EXPECT_EQ(report["schema"], "intaglio.compare/1");
  ASSERT_EQ(report["methods"].size(), 3u);
  EXPECT_EQ(report["methods"][1]["p"], 99.9);
  EXPECT_EQ(report["evaluation_data"]["samples"], 1000);
  const std::size_t best = report["best"]["index"];
  const Json& tied = report["best"]["tied"];
  EXPECT_NE(std::ranges::find(tied, report["methods"][best]["text"]), tied.end());
  for (const Json& method : report["methods"])
    if (std::ranges::find(tied, method["text"]) == tied.end()) {
      EXPECT_LT(method["evaluation"]["agreement"],
                report["methods"][best]["evaluation"]["agreement"]);
    }
  EXPECT_GT(report["reference"]["top1"].get<double>(), 85);
  // The model is that of quantize with this method, but for what the evaluation adds to neither.
  const auto quantized =
      run_program(with_data({"quantize", data("demo.onnx"), "--method",
                             report["best"]["method"].get<std::string>(), "-o", here("q.onnx")}));
  ASSERT_EQ(quantized.exit_code, 0);
  EXPECT_EQ(std::filesystem::file_size(here("best.onnx")), report["output"]["bytes"]);
}

TEST_F(Calibration, CompareHoldsSamplesOut) {
  const auto ran =
      run_program(with_data({"compare", data("demo.onnx"), "--method", "minmax", "--json"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json report = Json::parse(ran.out);
  EXPECT_EQ(report["data"]["samples"], 24);
  EXPECT_EQ(report["evaluation_data"]["samples"], 76) << "those that --limit leaves out";
  EXPECT_EQ(report["evaluation_source"], "held_out");
}

}  // namespace
}  // namespace intaglio
