// Migration as a user meets it: a block of a transformer from data, shards, a plan, and its report.
#include <gtest/gtest.h>

#include "calibration/data/npy.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::fresh_folder;
using testing::random_tensor;
using testing::run_program;

// One layer of a transformer behind its attention, with a channel that is much wider than others:
// the normalization is read by the residual Add too, what stands for Gelu by a layer alone.
Model block() {
  Model model = testing::random_model(
      "(float[1,6,8] x, float[8] k, float[8] b, "
      "float[8,16] w, float[16] h, float[16,8] v, float[8] l) => (float[1,6,8] y) {"
      " n = LayerNormalization(x, k, b) p = MatMul(n, w) e = Erf(p) g = Mul(e, h) q = MatMul(g, v)"
      " r = Add(q, n) y = LayerNormalization(r, l) }",
      17);
  for (const char* name : {"k", "b", "h"}) {
    Tensor t = model.graph().find(name)->constant();
    t.mutate<float>()[0] = 60;
    model.graph().find(name)->set_constant(std::move(t));
  }
  return model;
}

class MigrationRun : public ::testing::Test {
 protected:
  MigrationRun() {
    save_model(block(), here("block.onnx"));
    std::filesystem::create_directory(folder_ / "data");
    for (unsigned i = 0; i < 9; ++i)
      write_file(here("data/" + std::to_string(i) + ".npy"),
                 to_npy(random_tensor({1, 6, 8}, i + 1)));
  }
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  // The model that a run of quantize writes, without the metadata that name the run.
  std::string quantized(const std::vector<std::string>& options) const {
    std::vector<std::string> all = {
        "--quiet",  "quantize",          here("block.onnx"), "-o",        here("int8.onnx"),
        "--report", here("report.json"), "--eval-data",      here("data")};
    all.insert(all.end(), options.begin(), options.end());
    const auto ran = run_program(all);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    Model model = load_model(here("int8.onnx"));
    for (const char* key : {"intaglio.method", "intaglio.preprocess"}) model.set_metadata(key, "");
    save_model(model, here("plain.onnx"));
    return read_file(here("plain.onnx"));
  }
  std::string from_data(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> options = {"--data", here("data")};
    options.insert(options.end(), more.begin(), more.end());
    return quantized(options);
  }
  Json report() const { return read_json_file(here("report.json")); }
  double sqnr() const { return report()["evaluation"]["outputs"][0]["sqnr_db"].get<double>(); }

  void calibrate(const std::string& name, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"--quiet",    "calibrate", here("block.onnx"), "--data",
                                    here("data"), "-o",        here(name)};
    all.insert(all.end(), more.begin(), more.end());
    const auto ran = run_program(all);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
};

TEST_F(MigrationRun, GainsWhatTheReportSays) {
  from_data({"--refine", "none"});
  EXPECT_TRUE(report()["refine"]["migration"].is_null());
  const double without = sqnr();
  from_data();
  EXPECT_GT(sqnr(), without + 3);
  const Json migration = report()["refine"]["migration"];
  EXPECT_EQ(migration["values"], 2);
  EXPECT_EQ(migration["copies"], 1);
  EXPECT_LT(migration["deviation"].get<double>(), 1e-5);
  ASSERT_EQ(migration["groups"].size(), 2u);
  EXPECT_EQ(migration["groups"][0]["value"], "g");
  EXPECT_FALSE(migration["groups"][0]["copied"].get<bool>());
  EXPECT_EQ(migration["groups"][1]["value"], "n");
  EXPECT_TRUE(migration["groups"][1]["copied"].get<bool>());
  testing::expect_valid(report());
}

TEST_F(MigrationRun, IsTheSameForAnyNumberOfThreads) {
  const std::string one = from_data({"--threads", "1"});
  EXPECT_EQ(from_data({"--threads", "2"}), one);
  EXPECT_EQ(from_data({"--threads", "7"}), one);
}

TEST_F(MigrationRun, ComesFromAPlan) {
  const std::string model = from_data({"--save-plan", here("plan.json")});
  EXPECT_EQ(quantized({"--plan", here("plan.json")}), model);
  EXPECT_EQ(report()["refine"]["migration"]["copies"], 1);
}

TEST_F(MigrationRun, ComesFromStatisticsAndTheirShards) {
  const std::string model = from_data({"--refine", "migration"});
  calibrate("whole");
  calibrate("a", {"--shard", "1/2"});
  calibrate("b", {"--shard", "2/2"});
  const auto merged = run_program({"merge", here("a"), here("b"), "-o", here("merged")});
  ASSERT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_EQ(read_file(here("merged")), read_file(here("whole")));
  EXPECT_EQ(quantized({"--calibration", here("merged"), "--refine", "none"}), model);
  EXPECT_EQ(report()["refine"]["migration"]["values"], 2);
}

TEST_F(MigrationRun, AFileWithoutItIsSaid) {
  calibrate("plain", {"--effort", "fast"});
  const auto ran = run_program(
      {"quantize", here("block.onnx"), "--calibration", here("plain"), "-o", here("x.onnx")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.err.find("without equalization"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace intaglio
