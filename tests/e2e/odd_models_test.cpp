// Models that are less usual than the demo, as users make and measure them: biases of any shape,
// results that nobody wants, NaN by design, half precision, arrays in folders, weights anywhere.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibration/data/npy.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/exec/infer.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/support/omitted.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using Arguments = std::vector<std::string>;

Arguments with(Arguments first, const Arguments& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

// A model of text, random constants, and samples of its only input in a folder of arrays.
class OddModels : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  // Inputs but the first become constants.
  void make(const std::string& graph, const Shape& input, int opset = 13) {
    save_model(random_model(graph, opset), here("model.onnx"));
    samples(input);
  }

  void samples(const Shape& input, std::size_t count = 12) {
    std::filesystem::create_directories(folder_ / "data");
    for (std::size_t i = 0; i < count; ++i)
      write_file(here("data/" + std::to_string(10 + i) + ".npy"),
                 to_npy(random_tensor(input, 50 + static_cast<unsigned>(i))));
  }

  Ran quantize(const Arguments& more = {}) const {
    return run_program(with({"quantize", here("model.onnx"), "--data", here("data"), "-o",
                             here("out.onnx"), "--report", here("report.json")},
                            more));
  }

  Json report() const { return read_json_file(here("report.json")); }
  double sqnr() const {
    const Json figure = report()["evaluation"]["outputs"][0]["sqnr_db"];
    return figure.is_null() ? 999 : figure.get<double>();
  }

  const std::filesystem::path folder_ = fresh_folder();
};

constexpr const char* forms[] = {"qdq", "qoperator", "dynamic", "weights"};

TEST_F(OddModels, BiasesOfAnyShape) {
  for (const char* bias : {"", "[1]", "[1,1]", "[5]", "[1,5]", "[4,1]", "[4,5]"}) {
    make(std::string("(float[4,8] x, float[8,6] w, float[6] b, float[6,5] v, float") + bias +
             " c) => (float[4,5] y) { a = Gemm(x, w, b) r = Relu(a) "
             "y = Gemm<alpha = 0.5, beta = -2.0>(r, v, c) }",
         {4, 8});
    for (const char* form : forms) {
      const Ran ran = quantize({"--format", form});
      EXPECT_EQ(ran.exit_code, 0) << bias << " " << form << ": " << ran.err;
      EXPECT_GT(sqnr(), 30) << bias << " " << form;
    }
    ASSERT_EQ(quantize().exit_code, 0);
    const Ran check = run_program({"check", here("out.onnx"), "--target", "onnxruntime"});
    EXPECT_EQ(check.exit_code, 0) << bias << ": " << check.out;
  }
}

TEST_F(OddModels, ScalarsAnywhere) {
  make(
      "(float[1,4,6,6] x, float[4,4,3,3] w, float[4] b, float k, float m, float t) => "
      "(float[1,4] y) {"
      " c = Conv<pads = [1,1,1,1]>(x, w, b) r = Relu(c) s = Mul(r, k) a = Add(m, s)"
      " d = Div(a, t) g = GlobalAveragePool(d) y = Flatten(g) }",
      {1, 4, 6, 6});
  for (const char* form : forms) EXPECT_EQ(quantize({"--format", form}).exit_code, 0) << form;
}

TEST_F(OddModels, AFirstOutputMayBeOmitted) {
  for (const bool top : {false, true}) {
    Model model = random_model(
        std::string("(float[4,1,2] x, float[2,2] a, float[1,12,2] w, float[1,12,3] r, float[1] k0)"
                    " => (") +
        (top ? "int64[4,1,1]" : "float[1,1,3]") +
        " y) { p = MatMul(x, a) q = Relu(p) k = Cast<to = 7>(k0) y = Identity(q) }");
    model.graph().find("k0")->set_constant(Tensor::of<float>({1}, {1}));
    Node& last = top ? omit_first_output(model.graph(), "y", "TopK", {"q", "k"})
                     : omit_first_output(model.graph(), "y", "LSTM", {"q", "w", "r"});
    if (!top) last.set_attr("hidden_size", std::int64_t{3});
    save_model(model, here("model.onnx"));
    samples({4, 1, 2});
    for (const char* form : forms) {
      const Ran ran = quantize({"--format", form});
      EXPECT_EQ(ran.exit_code, 0) << last.op() << " " << form << ": " << ran.err;
    }
  }
}

TEST_F(OddModels, NaNByDesignIsLeftOut) {
  make(
      "(float[2,8] x, float[8,16] w, float[16] b, float[16,6] v, float[2,6] c, float n, float z) "
      "=> (float[2,6] y) { a = Gemm(x, w, b) r = Relu(a) d = MatMul(r, v) "
      "m = Greater(c, z) y = Where(m, d, n) }",
      {2, 8});
  Model model = load_model(here("model.onnx"));
  model.graph().find("n")->set_constant(Tensor::scalar(std::nanf("")));
  model.graph().find("z")->set_constant(Tensor::scalar(0.0f));
  save_model(model, here("model.onnx"));
  const Ran ran = quantize({"--min-sqnr", "20", "--keep-float", "auto"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("are NaN or infinite in both and left out"), std::string::npos) << ran.out;
  const Json output = report()["evaluation"]["outputs"][0];
  EXPECT_GT(output["left_out"].get<int>(), 0);
  EXPECT_EQ(output["one_sided"], 0);
  EXPECT_GT(output["sqnr_db"].get<double>(), 20);
  EXPECT_GT(output["cosine"].get<double>(), 0.9);
}

TEST_F(OddModels, HalfPrecisionKeepsItsInterface) {
  Model model = TextModel().opset(14).model(
      R"((float16[1,8] x, float16[8,6] w, float16[6] b) => (float16[1,6] y) {
      a = Gemm(x, w, b) y = Relu(a) })");
  model.graph().find("w")->set_constant(convert(random_tensor({8, 6}), DType::f16));
  model.graph().find("b")->set_constant(convert(random_tensor({6}, 2), DType::f16));
  infer_types(model);
  save_model(model, here("model.onnx"));
  samples({1, 8});
  for (const char* form : forms)
    for (const Arguments& more : {Arguments{}, Arguments{"--float16"}}) {
      const Ran ran = quantize(with({"--format", form}, more));
      ASSERT_EQ(ran.exit_code, 0) << form << ": " << ran.err;
      const Model made = load_model(here("out.onnx"));
      EXPECT_EQ(made.graph().find("x")->dtype(), DType::f16) << form;
      EXPECT_EQ(made.graph().find("y")->dtype(), DType::f16) << form;
      EXPECT_GT(sqnr(), 30) << form;
      const Ran evaluated =
          run_program({"evaluate", here("out.onnx"), "--reference", here("model.onnx"), "--data",
                       here("data"), "--min-sqnr", "30"});
      EXPECT_EQ(evaluated.exit_code, 0) << form << ": " << evaluated.err;
      const Ran once = run_program({"run", here("out.onnx"), "--data", here("data/10.npy")});
      EXPECT_EQ(once.exit_code, 0) << form << ": " << once.err;
    }
  const Ran codes = quantize({"--io", "u8"});
  ASSERT_EQ(codes.exit_code, 0) << codes.err;
  EXPECT_EQ(load_model(here("out.onnx")).graph().find("x")->dtype(), DType::u8);
  EXPECT_NE(codes.out.find("input 'x' holds codes of uint8"), std::string::npos) << codes.out;
}

constexpr const char* small_network =
    "(float[1,4,8,8] x, float[6,4,3,3] w, float[6] b, float[5,6,1,1] v, float[5] c) => "
    "(float[1,5,6,6] y) { a = Conv(x, w, b) r = Relu(a) y = Conv(r, v, c) }";

TEST_F(OddModels, ArraysAreNoImages) {
  make(small_network, {1, 4, 8, 8});
  write_file(here("list.txt"), "data/10.npy\ndata/11.npy\n");
  for (const std::string& data : {here("data"), here("list.txt"), "x=" + here("data")}) {
    const Ran ran = run_program({"quantize", here("model.onnx"), "--data", data, "-o",
                                 here("out.onnx"), "--report", here("report.json")});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.err.find("imagenet"), std::string::npos) << data << ": " << ran.err;
    EXPECT_FALSE(load_model(here("out.onnx")).metadata().contains("intaglio.preprocess")) << data;
  }
}

TEST_F(OddModels, ALargerResultSaysWhy) {
  make(
      "(float[1,2,8,8] x, float[2,2,1,1] w, float[2] b) => (float[1,2,8,8] y) "
      "{ a = Conv(x, w, b) y = Relu(a) }",
      {1, 2, 8, 8});
  for (const char* form : forms) {
    const Ran ran = quantize({"--format", form});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    ASSERT_GT(std::filesystem::file_size(here("out.onnx")),
              std::filesystem::file_size(here("model.onnx")))
        << form;
    EXPECT_NE(ran.err.find("out.onnx is larger than "), std::string::npos) << form << ran.err;
    EXPECT_NE(ran.err.find("nodes instead of 2"), std::string::npos) << form << ran.err;
    EXPECT_NE(ran.out.find("times larger than"), std::string::npos) << form << ran.out;
    EXPECT_NE(report()["warnings"].dump().find("is larger than"), std::string::npos) << form;
  }
}

TEST_F(OddModels, ConvolutionsInASlowFormAreHinted) {
  make(small_network, {1, 4, 8, 8});
  for (const char* form : {"dynamic", "weights"}) {
    const Ran ran = quantize({"--format", form});
    EXPECT_NE(ran.out.find("hint: 2 convolutions in the form"), std::string::npos) << ran.out;
    EXPECT_EQ(report()["hints"].size(), 1u);
  }
  EXPECT_EQ(quantize().out.find("convolutions in the form"), std::string::npos);
}

TEST_F(OddModels, ParametersAreCountedWhereverTheyLie) {
  const Model model = TextModel().opset(14).model(R"((float[1,4] x) => (float[1,4] y) {
      w = Constant <value = float[1,4] {1, 2, 3, 4}> () y = Mul(x, w) })");
  save_model(model, here("node.onnx"));
  Ran ran = run_program({"inspect", here("node.onnx")});
  EXPECT_NE(ran.out.find("4 parameters (16 B)"), std::string::npos) << ran.out;

  save_model(random_model(small_network), here("outside.onnx"), {.external_above = 0});
  const auto inside = Json::parse(run_program({"inspect", here("outside.onnx"), "--json"}).out);
  EXPECT_EQ(inside["parameters"], 6 * 4 * 9 + 6 + 5 * 6 + 5);
  EXPECT_EQ(inside["bytes"].get<std::uint64_t>(),
            std::filesystem::file_size(here("outside.onnx")) +
                std::filesystem::file_size(here("outside.onnx.data")));
}

// Samples that nobody has seen decide between the efforts.
TEST_F(OddModels, BestIsComparedOnSamplesHeldOut) {
  make(small_network, {1, 4, 8, 8});
  Ran ran = quantize({"--effort", "best"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json compared = report()["refine"]["compared"];
  EXPECT_EQ(compared["held_out"], 2) << compared.dump();
  const double best = compared["best_db"].get<double>(),
               balanced = compared["balanced_db"].get<double>();
  EXPECT_EQ(compared["taken"], best > balanced ? "best" : "balanced") << compared.dump();
  EXPECT_EQ(report()["refine"]["rounding"].is_null(), best <= balanced);
  EXPECT_NE(ran.out.find("was taken: on 2 samples"), std::string::npos) << ran.out;

  ran = quantize({"--effort", "best", "--limit", "4"});
  EXPECT_EQ(report()["refine"]["compared"]["held_out"], 0);
  EXPECT_NE(ran.err.find("none can be held out"), std::string::npos) << ran.err;
  ran = quantize({"--refine", "rounding"});
  EXPECT_TRUE(report()["refine"]["compared"].is_null());
}

}  // namespace
}  // namespace intaglio::testing
