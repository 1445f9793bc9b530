// Files for toolchains that read float models, as a user makes them. What they hold: tests/ncnn,
// tests/rewrite. How they run: scripts/toolchains.
#include <gtest/gtest.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/load.h"
#include "tests/ncnn/converted.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::contains;
using testing::data;
using testing::fresh_folder;
using testing::Ran;
using testing::run_program;
using testing::write_converted;
using Arguments = std::vector<std::string>;
using Path = std::filesystem::path;

Ran quantize_demo(const Arguments& more) {
  Arguments arguments = {"quantize",    data("demo.onnx"), "--data",
                         data("calib"), "--preprocess",    data("preprocess.json")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

std::string demo_network(const Path& folder) {
  return write_converted(load_model(data("demo.onnx")), folder).string();
}

void expect_error(const Arguments& more, int code, const std::string& text) {
  const Ran ran = quantize_demo(more);
  EXPECT_EQ(ran.exit_code, code) << ran.err;
  EXPECT_TRUE(contains(ran.err, text)) << ran.err;
}

TEST(HandOver, TheFloatModelIsThatOfTheResult) {
  const Path folder = fresh_folder();
  const std::string out = folder / "q.onnx", floats = folder / "f.onnx", report = folder / "r.json";
  const Ran ran = quantize_demo({"-o", out, "--float-output", floats, "--report", report});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "f.onnx: the float model of it")) << ran.out;
  const Model model = load_model(floats);
  EXPECT_EQ(model.metadata().at("intaglio.format"), "float");
  EXPECT_TRUE(model.metadata().contains("intaglio.preprocess"));
  for (const Node* node : model.graph().nodes()) {
    EXPECT_FALSE(node->is("QuantizeLinear") || node->is("DequantizeLinear"));
    EXPECT_FALSE(node->is("BatchNormalization")) << "it is folded";
  }
  const Json handed = Json::parse(read_file(report))["handed_over"];
  EXPECT_EQ(handed["float_output"]["bytes"], std::filesystem::file_size(floats));
  EXPECT_TRUE(handed["ranges"].is_null());
  // It is a float model as any: quantizing it without refinement gives nearly the same codes.
  const Ran same = run_program({"evaluate", floats, "--reference", data("demo.onnx"), "--data",
                                data("eval"), "--limit", "20"});
  EXPECT_EQ(same.exit_code, 0) << same.err;
}

TEST(HandOver, RangesHaveALineForEachValue) {
  const Path folder = fresh_folder();
  const std::string out = folder / "q.onnx", floats = folder / "f.onnx", table = folder / "ranges",
                    report = folder / "r.json";
  for (const std::string format : {"sophgo", "tflite", "rknn"}) {
    const Ran ran =
        quantize_demo({"--target", "sophgo", "-o", out, "--float-output", floats, "--ranges", table,
                       "--ranges-format", format, "--report", report});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const Json ranges = Json::parse(read_file(report))["handed_over"]["ranges"];
    EXPECT_EQ(ranges["format"], format);
    EXPECT_GT(ranges["values"], 20);
    EXPECT_TRUE(ranges["missing"].empty()) << ranges["missing"];
    const std::string text = read_file(table);
    EXPECT_EQ(ranges["bytes"], text.size());
    EXPECT_TRUE(contains(text, format == "sophgo"   ? "\nlogits_Gemm "
                               : format == "tflite" ? "\"logits\": {"
                                                    : "\n    'logits':\n"))
        << text;
  }
}

TEST(HandOver, RangesOfARefinedModelAskForIt) {
  const Path folder = fresh_folder();
  const Arguments both = {"-o",     folder / "q.onnx", "--ranges", folder / "t", "--ranges-format",
                          "sophgo", "--target",        "sophgo"};
  EXPECT_TRUE(contains(quantize_demo(both).err, "as it was refined: --float-output writes it"));
  Arguments fast = both;
  fast.insert(fast.end(), {"--effort", "fast"});
  EXPECT_FALSE(contains(quantize_demo(fast).err, "as it was refined"));
}

TEST(HandOver, ANetworkOfNcnnIsWrittenInInt8) {
  const Path folder = fresh_folder();
  const std::string network = demo_network(folder), out = folder / "out.ncnn.param",
                    report = folder / "r.json";
  const Ran ran =
      quantize_demo({"--format", "ncnn", "--ncnn-param", network, "-o", out, "--report", report});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "ncnn: 17 of 17 layers with weights on int8 codes")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "measured on the Q/DQ model that the file was made of")) << ran.out;
  EXPECT_TRUE(contains(read_file(out), " 8=2\n")) << read_file(out);
  const Json output = Json::parse(read_file(report))["output"];
  EXPECT_EQ(output["format"], "ncnn");
  const Json ncnn = output["ncnn"];
  EXPECT_EQ(ncnn["bin"]["path"], (folder / "out.ncnn.bin").string());
  EXPECT_EQ(ncnn["of_float_output"], false);
  EXPECT_EQ(ncnn["layers"].size(), 17u);
  EXPECT_EQ(ncnn["layers"][0]["node"], "/stem/conv");
  EXPECT_TRUE(ncnn["missing"].empty());
  const auto bytes = std::filesystem::file_size(folder / "out.ncnn.bin");
  EXPECT_EQ(output["bytes"], bytes + std::filesystem::file_size(out));
  EXPECT_LT(bytes, std::filesystem::file_size(folder / "model.ncnn.bin"));
}

TEST(HandOver, TheSameNetworkWhateverTheNumberOfThreadsAndTheWayThere) {
  const Path folder = fresh_folder();
  const std::string network = demo_network(folder), floats = folder / "f.onnx",
                    one = folder / "1.ncnn.param", three = folder / "3.ncnn.param",
                    table = folder / "t", last = folder / "last.ncnn.param";
  const Arguments form = {"--format", "ncnn", "--effort", "fast"};
  const auto with = [&](Arguments more) {
    more.insert(more.end(), form.begin(), form.end());
    const Ran ran = quantize_demo(more);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  };
  with({"--ncnn-param", network, "-o", one, "--threads", "1", "--float-output", floats});
  with({"--ncnn-param", network, "-o", three, "--threads", "3"});
  const std::string bin = read_file(folder / "1.ncnn.bin");
  EXPECT_EQ(bin, read_file(folder / "3.ncnn.bin"));
  const std::string of_floats = write_converted(load_model(floats), folder, "floats.ncnn").string();
  with({"--ncnn-param", of_floats, "-o", last, "--ranges", table, "--ranges-format", "ncnn"});
  EXPECT_EQ(bin, read_file(folder / "last.ncnn.bin")) << "of either network";
  EXPECT_TRUE(read_file(table).starts_with("layer_1_param_0 ")) << "by the names of its layers";
}

TEST(HandOver, NetworksThatDoNotFitAreRefused) {
  const Path folder = fresh_folder();
  const std::string out = folder / "out.ncnn.param";
  const auto refused = [&](const std::string& network, int code, const std::string& text) {
    expect_error({"--format", "ncnn", "--ncnn-param", network, "-o", out}, code, text);
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_FALSE(std::filesystem::exists(folder / "out.ncnn.bin"));
  };
  const std::string network = demo_network(folder);
  refused((folder / "none.ncnn.param").string(), 4, "none.ncnn.param");
  const Path other = testing::write_network(
      folder, {{"Convolution c 1 1 in0 out0 0=1 1=1 6=2", testing::tagged({1, 2})}}, "other.ncnn");
  refused(other.string(), 5, "other.ncnn.param: is not of this model");
  const Path bin = folder / "model.ncnn.bin";
  std::filesystem::resize_file(bin, std::filesystem::file_size(bin) - 6);
  refused(network, 5, "model.ncnn.bin: ends within the weights of layer 'layer_");
  std::filesystem::remove(bin);
  refused(network, 4, "model.ncnn.bin");
}

TEST(HandOver, ATableOfTheModelGivenIsRefused) {
  const Path folder = fresh_folder();
  expect_error({"--target", "ncnn", "-o", folder / "q.onnx", "--ncnn-param", demo_network(folder),
                "--ranges", folder / "t", "--ranges-format", "ncnn"},
               5, "holds the weights of the model given");
}

TEST(HandOver, ContradictionsAreToldAtOnce) {
  const Path folder = fresh_folder();
  const std::string out = folder / "q.onnx", table = folder / "t";
  expect_error({"-o", out, "--ranges", table}, 2, "Add --ranges-format ncnn, sophgo");
  expect_error({"-o", out, "--ranges-format", "rknn"}, 2, "Add --ranges FILE");
  for (const std::string form : {"dynamic", "weights", "matmulnbits"})
    expect_error({"-o", out, "--ranges", table, "--ranges-format", "rknn", "--format", form}, 2,
                 "--format " + form + " has no ranges of activations");
  expect_error({"-o", out, "--ranges", table, "--ranges-format", "ncnn"}, 2, "--ncnn-param NAME");
  expect_error({"--format", "ncnn"}, 2, "--ncnn-param NAME");
  expect_error({"-o", out, "--ncnn-param", "a.param"}, 2, "nothing is made of the network");
  expect_error({"--format", "ncnn", "--ncnn-param", "a.onnx"}, 2, "two files");
  expect_error({"--format", "ncnn", "--ncnn-param", "a.param", "-o", out}, 2, "is an ncnn file");
  expect_error({"--format", "ncnn", "--ncnn-param", "a.param", "--io", "s8"}, 2, "--io");
  expect_error({"--format", "ncnn", "--ncnn-param", "a.param", "--target", "tensorrt"}, 3,
               "reads no models in the form 'ncnn'");
  expect_error({"-o", out, "--float-output", out}, 2, "two outputs are the same file");
  expect_error({"-o", out, "--float-output", data("demo.onnx")}, 2, "output and input");
  expect_error({"-o", out, "--float-output", table, "--format", "matmulnbits"}, 2,
               "weights in groups have no float model");
  const std::string network = demo_network(folder);
  expect_error({"--format", "ncnn", "--ncnn-param", network, "-o", network}, 2, "output and input");
  const Ran again =
      run_program({"quantize", data("demo.onnx"), "--from-qdq", "--float-output", out});
  EXPECT_EQ(again.exit_code, 2) << again.err;
}

}  // namespace
}  // namespace intaglio
