// TFLite files, as a user makes them. What they hold: tests/tflite. How they run: scripts/toolchains/tflite.
#include <gtest/gtest.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/graph/model.h"
#include "lib/io/save.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::data;
using testing::fresh_folder;
using testing::Ran;
using testing::run_program;
using Arguments = std::vector<std::string>;

Ran quantize(const std::string& model, const Arguments& more) {
  Arguments arguments = {"--quiet", "quantize", model, "--format", "tflite"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

Ran quantize_demo(Arguments more) {
  more.insert(more.end(), {"--data", data("calib"), "--preprocess", data("preprocess.json")});
  return quantize(data("demo.onnx"), more);
}

TEST(Tflite, TheDemoBecomesAFileOfInt8Operators) {
  const auto folder = fresh_folder();
  const auto file = folder / "demo.tflite", report = folder / "report.json";
  const Ran ran = quantize_demo({"-o", file.string(), "--report", report.string(), "--io", "s8",
                                 "--c-header", (folder / "demo.h").string()});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(read_file(file).substr(4, 4), "TFL3");
  EXPECT_NE(ran.out.find("TFLite: "), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("its channels are last"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("measured on the Q/DQ model"), std::string::npos) << ran.out;
  const Json json = Json::parse(read_file(report));
  EXPECT_EQ(json["target"], "tflite-like") << "what the form asks for";
  EXPECT_EQ(json["output"]["format"], "tflite");
  EXPECT_EQ(json["output"]["bytes"], std::filesystem::file_size(file));
  const Json tflite = json["output"]["tflite"];
  EXPECT_EQ(tflite["conversions"], 0);
  EXPECT_EQ(tflite["transposes"], 0);
  EXPECT_EQ(tflite["operators"], tflite["on_codes"]);
  EXPECT_TRUE(tflite["in_float"].empty());
  const std::string header = read_file(folder / "demo.h");
  EXPECT_NE(header.find(", 3}"), std::string::npos) << "channels last:\n" << header;
}

TEST(Tflite, TheSameBytesWhateverTheNumberOfThreads) {
  const auto folder = fresh_folder();
  std::vector<std::string> files;
  for (const std::string threads : {"1", "3"}) {
    const auto file = folder / (threads + ".tflite");
    const Ran ran = quantize_demo({"-o", file.string(), "--threads", threads});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    files.push_back(read_file(file));
  }
  EXPECT_EQ(files[0], files[1]);
}

TEST(Tflite, IsRefusedWhereTheFormatLacksSomethingBeforeAnythingIsMeasured) {
  const auto folder = fresh_folder();
  const auto model = folder / "erf.onnx", out = folder / "erf.tflite";
  save_model(testing::TextModel().typed("(float[1,3,8,8] x) => (float[1,3,8,8] y) { y = Erf(x) }"),
             model);
  const Ran ran = quantize(model.string(), {"-o", out.string(), "--data", data("calib")});
  EXPECT_EQ(ran.exit_code, 6) << ran.err;
  EXPECT_NE(ran.err.find("Erf node making 'y'"), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Tflite, ContradictionsAreToldAtOnce) {
  const auto refused = [](const Arguments& more, int code, const std::string& text) {
    const Ran ran = quantize_demo(more);
    EXPECT_EQ(ran.exit_code, code) << ran.err;
    EXPECT_NE(ran.err.find(text), std::string::npos) << ran.err;
  };
  const std::string out = (fresh_folder() / "out").string();
  refused({"-o", out + ".onnx"}, 2, "is a TFLite file");
  refused({"-o", out + ".tflite", "--target", "tensorrt"}, 3,
          "reads no models in the form 'tflite'");
  refused({"-o", out + ".tflite", "--keep-float", "1", "--keep-as", "16bit"}, 2, "8 bits");
  const Ran onnx = run_program({"--quiet", "quantize", data("demo.onnx"), "-o", out + ".tflite"});
  EXPECT_EQ(onnx.exit_code, 2);
  EXPECT_NE(onnx.err.find("Use --format tflite"), std::string::npos) << onnx.err;
}

}  // namespace
}  // namespace intaglio
