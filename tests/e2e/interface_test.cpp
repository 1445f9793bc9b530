// Integer inputs and outputs as an embedded user meets them.
#include <gtest/gtest.h>

#include "calibration/data/npy.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class Interfaces : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  // A small classifier of images that ends in Softmax.
  void make_classifier() const {
    save_model(random_model("(float[1,3,8,8] image, float[6,3,3,3] w, float[6,5] v) => "
                            "(float[1,5] classes) { a = Conv(image, w) b = Relu(a) "
                            "c = GlobalAveragePool(b) d = Flatten(c) e = MatMul(d, v) "
                            "classes = Softmax<axis = 1>(e) }"),
               here("model.onnx"));
  }

  Ran quantize(const std::string& model, const std::vector<std::string>& more) const {
    std::vector<std::string> line = {
        "quantize",     model, "--data", data("calib"),    "--limit",  "8",
        "--preprocess", "tf",  "-o",     here("out.onnx"), "--report", here("report.json")};
    line.insert(line.end(), more.begin(), more.end());
    return run_program(line);
  }

  const std::filesystem::path folder_ = fresh_folder();
};

TEST_F(Interfaces, InputsAndOutputsHaveTypesOfTheirOwn) {
  for (const auto& [io, input, output] : {std::tuple{"s8,float", DType::s8, DType::f32},
                                          {"float,u8", DType::f32, DType::u8},
                                          {"u8,s8", DType::u8, DType::s8},
                                          {"s8", DType::s8, DType::s8}}) {
    const Ran ran = quantize(data("demo.onnx"), {"--io", io});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const Model model = load_model(here("out.onnx"));
    EXPECT_EQ(model.graph().feeds().front()->dtype(), input) << io;
    EXPECT_EQ(model.graph().outputs().front()->dtype(), output) << io;
    const Json said = read_json_file(here("report.json"))["interface"];
    EXPECT_EQ(said["inputs"].size(), input == DType::f32 ? 0u : 1u);
    EXPECT_EQ(said["outputs"].size(), output == DType::f32 ? 0u : 1u);
  }
  const Ran bad = quantize(data("demo.onnx"), {"--io", "s8,int8"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_TRUE(contains(bad.err, "'int8' not in {float,s8,u8}")) << bad.err;
}

TEST_F(Interfaces, WhatCannotBeIsSaidBeforeTheWorkWithWhatCan) {
  make_classifier();
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--dry-run"}}) {
    std::vector<std::string> line = {"--io", "s8", "--target", "stm32n6", "--verbose"};
    line.insert(line.end(), more.begin(), more.end());
    const Ran ran = quantize(here("model.onnx"), line);
    EXPECT_EQ(ran.exit_code, 6) << ran.err;
    EXPECT_TRUE(contains(ran.err, "output 'classes': Softmax node")) << ran.err;
    EXPECT_TRUE(contains(ran.err, "Say --io s8,float")) << ran.err;
    EXPECT_TRUE(contains(ran.err, "tflite-like")) << ran.err;
    EXPECT_FALSE(contains(ran.err, "calibrate:")) << ran.err;
  }
  const Ran ran = quantize(here("model.onnx"), {"--io", "s8,float", "--target", "stm32n6"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
}

// Those of x/127.5-1 lie midway between codes, on either side of a zero that no pixel has.
TEST_F(Interfaces, CodesOfPixelsArePixelsLess128) {
  make_classifier();
  const Ran ran = quantize(here("model.onnx"), {"--io", "s8,float"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "zero point 0; the code of pixel p is p - (p < 128 ? 127 : 128)"))
      << ran.out;
  const Ran raw = quantize(here("model.onnx"), {"--io", "s8,float", "--mean", "0", "--std", "255"});
  EXPECT_TRUE(contains(raw.out, "the code of pixel p is p - 128")) << raw.out << raw.err;
  const Ran stated = quantize(here("model.onnx"), {"--input-range", "-2,2", "--io", "u8,float"});
  ASSERT_EQ(stated.exit_code, 0) << stated.err;
  const Json input = read_json_file(here("report.json"))["interface"]["inputs"][0];
  EXPECT_NEAR(input["scale"].get<double>(), 4 / 255.0, 1e-4);
  EXPECT_EQ(input["zero_point"], 128);
  const Ran narrow = quantize(here("model.onnx"), {"--input-range", "-0.1,0.1"});
  EXPECT_TRUE(contains(narrow.err, "beyond the range")) << narrow.err;
  EXPECT_EQ(quantize(here("model.onnx"), {"--input-range", "1"}).exit_code, 2);
}

// Probabilities that went through Softmax once more would all be alike.
TEST_F(Interfaces, TopClassesOfIntegerModelsAreThoseOfTheFloatOne) {
  make_classifier();
  ASSERT_EQ(quantize(here("model.onnx"), {"--io", "u8", "--target", "tflite-like"}).exit_code, 0);
  const auto top = [&](const std::string& model, const std::vector<std::string>& more) {
    std::vector<std::string> line = {"run",    model,   "--data", data("calib"), "--limit", "1",
                                     "--json", "--top", "1"};
    line.insert(line.end(), more.begin(), more.end());
    const Ran ran = run_program(line);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return parse_json_if_any(ran.out)["top"][0]["probability"].get<double>();
  };
  const double exact = top(here("model.onnx"), {"--preprocess", "tf"});
  EXPECT_NEAR(top(here("out.onnx"), {}), exact, 0.1);
  EXPECT_NEAR(top(here("out.onnx"), {"--codes", "--preprocess", "raw"}), exact, 0.1);
}

TEST_F(Interfaces, TopOfWhatIsNoListOfClassesDeclines) {
  save_model(
      random_model("(float[1,4,6] x, float[6,9] w) => (float[1,4,9] y) { y = MatMul(x, w) }"),
      here("model.onnx"));
  write_file(here("x.npy"), to_npy(random_tensor({1, 4, 6})));
  const Ran ran = run_program({"run", here("model.onnx"), "--data", here("x.npy"), "--top", "3"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(contains(ran.err, "[1,4,9] holds no scores of one sample's classes")) << ran.err;
}

TEST_F(Interfaces, TheHeaderIsCAndCxx) {
  for (const char* io : {"s8", "u8,float", "float"}) {
    const std::string header = here("1 model-%s\"\\.int8.h");
    ASSERT_EQ(quantize(data("demo.onnx"), {"--io", io, "--c-header", header}).exit_code, 0);
    const std::string text = read_file(header);
    EXPECT_TRUE(contains(text, "_INPUT_0_SHAPE {-1, 3, 48, 48}\n/* -1: a free axis,")) << text;
    EXPECT_EQ(contains(text, "_INPUT_0_OF_PIXEL(p)"), std::string(io) != "float") << text;
    EXPECT_EQ(contains(text, "_INPUT_0_SCALE "), std::string(io) != "float") << text;
    write_file(here("model.h"), text);
    write_file(
        here("use.c"),
        "#include \"model.h\"\n#include \"model.h\"\n"
        "static const long shape[] = M1_MODEL__S___INT8_INPUT_0_SHAPE;\n"
        "static M1_MODEL__S___INT8_INPUT_0_TYPE in[M1_MODEL__S___INT8_INPUT_0_SIZE];\n"
        "static const float mean[] = M1_MODEL__S___INT8_INPUT_0_MEAN;\n"
        "#ifdef M1_MODEL__S___INT8_INPUT_0_OF_PIXEL\n"  // by the formula, as run does
        "static int wrong(void) { int n = 0; for (int p = 0; p < 256; ++p) {\n"
        "  static const float dev[] = M1_MODEL__S___INT8_INPUT_0_STD;\n"
        "  const float real = (p * M1_MODEL__S___INT8_INPUT_0_PIXEL_SCALE - mean[0]) / dev[0];\n"
        "  const float step = real / M1_MODEL__S___INT8_INPUT_0_SCALE;\n"
        "  const int code = (int)(step + (step < 0 ? -0.5f : 0.5f)) +\n"
        "                   M1_MODEL__S___INT8_INPUT_0_ZERO_POINT;\n"
        "  n += code != M1_MODEL__S___INT8_INPUT_0_OF_PIXEL(p); } return n; }\n"
        "#else\nstatic int wrong(void) { return 0; }\n#endif\n"
        "int main(void) { return wrong() || sizeof in != M1_MODEL__S___INT8_INPUT_0_BYTES ||\n"
        "  sizeof shape / sizeof shape[0] != M1_MODEL__S___INT8_INPUT_0_RANK || in[0] != 0 ||\n"
        "  !M1_MODEL__S___INT8_OUTPUT_0_NAME[0] || mean[0] < 0; }\n");
    if (run_command({"cc", "--version"}).exit_code != 0) GTEST_SKIP() << "no compiler at hand";
    for (const std::vector<std::string>& compiler :
         {std::vector<std::string>{"cc", "-std=c99"}, {"c++", "-x", "c++", "-std=c++11"}}) {
      std::vector<std::string> line = compiler;
      line.insert(line.end(),
                  {"-Wall", "-Wextra", "-pedantic", "-Werror", here("use.c"), "-o", here("use")});
      const Ran compiled = run_command(line);
      EXPECT_EQ(compiled.exit_code, 0) << compiled.err << text;
      EXPECT_EQ(run_command({here("use")}).exit_code, 0);
    }
  }
}

TEST_F(Interfaces, EveryLayerSaysWhatItCosts) {
  ASSERT_EQ(quantize(data("demo.onnx"), {}).exit_code, 0);
  const Ran ran = run_program({"inspect", here("out.onnx"), "--layers", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json json = parse_json_if_any(ran.out);
  std::int64_t macs = 0;
  for (const Json& layer : json["layers"]) {
    macs += layer["macs"].is_null() ? 0 : layer["macs"].get<std::int64_t>();
    EXPECT_GE(layer["activation_bytes"].get<std::int64_t>(), 0) << layer;
    if (layer["op"] == "Conv") {
      EXPECT_EQ(layer["verdict"], "integer");
      EXPECT_GT(layer["weight_bytes"].get<std::int64_t>(), 0) << layer;
      EXPECT_FALSE(layer["shape"].is_null());
      EXPECT_EQ(layer["type"], "uint8") << "a Clip behind it makes codes of it";
      EXPECT_GT(layer["activation_bytes"].get<std::int64_t>(), 0) << layer;
    }
  }
  EXPECT_EQ(macs, json["macs"].get<std::int64_t>());
  const Ran table = run_program({"check", here("out.onnx"), "--layers"});
  EXPECT_TRUE(contains(table.out, "weight bytes")) << table.out;
  EXPECT_EQ(run_program({"inspect", data("demo.onnx"), "--layers"}).exit_code, 0);
}

TEST_F(Interfaces, ALaterOpsetIsHadForTheAsking) {
  ASSERT_EQ(quantize(data("demo.onnx"), {"--opset", "17"}).exit_code, 0);
  EXPECT_EQ(load_model(here("out.onnx")).opset(), 17);
}

}  // namespace
}  // namespace intaglio::testing
