// What weights become in every form, as a user meets it: shared ones, recurrent ones, long sums.
#include <gtest/gtest.h>

#include <algorithm>

#include "calibration/data/npy.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::random_tensor;
using testing::run_program;

const std::vector<std::vector<std::string>> forms = {
    {"qdq"}, {"qoperator"}, {"qoperator", "--contrib"}, {"dynamic"}, {"weights"}};

class Weights : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  void given(const Model& model, const Shape& shape) const {
    save_model(model, here("float.onnx"));
    std::filesystem::create_directory(folder_ / "data");
    for (unsigned i = 0; i < 4; ++i)
      write_file(here("data/" + std::to_string(i) + ".npy"),
                 to_npy(random_tensor(shape, i + 1, 0)));
  }

  // The report of a run of quantize.
  Json quantized(const std::vector<std::string>& form) const {
    std::vector<std::string> all = {"--quiet", "quantize",        here("float.onnx"),
                                    "-o",      here("int8.onnx"), "--json",
                                    "--data",  here("data"),      "--format"};
    all.insert(all.end(), form.begin(), form.end());
    const auto ran = run_program(all);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(run_program({"--quiet", "check", here("int8.onnx")}).exit_code, 0) << form.front();
    return Json::parse(ran.out);
  }

  double shrunk() const {
    return static_cast<double>(std::filesystem::file_size(here("int8.onnx"))) /
           static_cast<double>(std::filesystem::file_size(here("float.onnx")));
  }

  const std::filesystem::path folder_ = testing::fresh_folder();
};

TEST_F(Weights, ThatSeveralLayersReadAreStoredOnce) {
  given(testing::random_model(
            "(float[1,128] x, float[128,128] w, float[128] b) => (float[1,128] y) { a = Gemm(x, w, "
            "b) c = Tanh(a) d = Gemm(c, w, b) e = Tanh(d) f = Gemm(e, w, b) g = Tanh(f) y = "
            "Gemm(g, w, b) }"),
        {1, 128});
  for (const auto& form : forms) {
    const Json report = quantized(form);
    EXPECT_LT(shrunk(), 0.5) << form.front();
    EXPECT_GT(report["evaluation"]["outputs"][0]["sqnr_db"].get<double>(), 20) << form.front();
  }
}

TEST_F(Weights, OfRecurrentOperatorsTake8BitsInEveryForm) {
  given(testing::random_model(
            "(float[20,1,16] x, float[1,256,16] w, float[1,256,64] r, float[1,512] b, "
            "float[64,8] d) => (float[20,1,1,8] y) { l, h = LSTM <hidden_size = 64> (x, w, r, b) y "
            "= MatMul(l, d) }"),
        {20, 1, 16});
  for (const auto& form : forms) {
    const Json report = quantized(form);
    EXPECT_LT(shrunk(), 0.4) << form.front();
    EXPECT_GT(report["evaluation"]["outputs"][0]["sqnr_db"].get<double>(), 20) << form.front();
    for (const Json& node : report["nodes"])
      EXPECT_EQ(node["status"], "quantized") << form.front() << node;
  }
}

TEST_F(Weights, OfLongSumsAreMadeSmallerThanTheAccumulator) {
  Model model = testing::random_model(
      "(float[1,70000] x, float[70000,2] w) => (float[1,2] y) { y = Gemm(x, w) }");
  Tensor ones = model.graph().find("w")->constant();
  std::ranges::fill(ones.mutate<float>(), 1.0f);
  model.graph().find("w")->set_constant(ones);
  given(model, {1, 70000});
  for (const char* form : {"qdq", "qoperator", "dynamic"}) {
    const Json report = quantized({form});
    EXPECT_GT(report["evaluation"]["outputs"][0]["sqnr_db"].get<double>(), 30) << form;
    bool told = false;
    for (const Json& warning : report["warnings"])
      told |= warning.get<std::string>().find("would leave int32") != std::string::npos;
    EXPECT_TRUE(told) << form;
  }
}

}  // namespace
}  // namespace intaglio
