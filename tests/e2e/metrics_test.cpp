// Metrics of other tasks than classification, through the whole program: detectors and recognizers
// made here.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/graph/model.h"
#include "lib/io/save.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using Arguments = std::vector<std::string>;

std::string saved(const std::filesystem::path& path, const TextModel& text) {
  save_model(text.model(), path);
  return path.string();
}

// A square of the image, 16 pixels wide, gives one of nine places six numbers.
TextModel nine_places() {
  return TextModel()
      .input("float[1,3,48,48] image")
      .constants(
          "float[6,3,1,1] w = {2, -1, 0.5, -2, 1, -0.5, 1, 1, -1, 0.5, -1, 2, -1.5, 1, 1, 0.3, "
          "0.7, -1}")
      .constants("int64[3] lines = {1, 6, 9}")
      .nodes("mean = AveragePool <kernel_shape = [16, 16], strides = [16, 16]> (image)")
      .nodes("numbers = Conv(mean, w)")
      .nodes("columns = Reshape(numbers, lines)")
      .nodes("places = Transpose <perm = [0, 2, 1]> (columns)");
}

// Two scores and a box each; `shift` moves the boxes, which are 1 wide and 1.5 apart.
TextModel detector(double shift = 0) {
  std::string anchors;
  for (int i = 0; i < 9; ++i) {
    const double x = 1.5 * (i % 3) + shift, y = 1.5 * (i / 3);
    anchors += fmt::format("{}{}, {}, {}, {}", i > 0 ? ", " : "", x, y, x + 1, y + 1);
  }
  return nine_places()
      .output("float[1,9,2] scores, float[1,9,4] boxes")
      .constants("int64[1] zero = {0}, int64[1] two = {2}, int64[1] six = {6}, int64[1] last = {2}")
      .constants("float tenth = {0.1}, float[1,9,4] anchors = {" + anchors + "}")
      .nodes("logits = Slice(places, zero, two, last)")
      .nodes("scores = Softmax <axis = 2> (logits)")
      .nodes("raw = Slice(places, two, six, last)")
      .nodes("squashed = Sigmoid(raw)")
      .nodes("offsets = Mul(squashed, tenth)")
      .nodes("boxes = Add(anchors, offsets)");
}

TextModel recognizer() {
  return nine_places().output("float[1,9,6] steps").nodes("steps = Softmax <axis = 2> (places)");
}

// Arguments of a command on the demo's images.
Arguments on_images(Arguments arguments, const Arguments& more = {}) {
  arguments.insert(arguments.end(), {"--quiet", "--data", data("calib"), "--limit", "12",
                                     "--preprocess", data("preprocess.json")});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Json evaluated(const std::string& model, const std::string& reference, Arguments more) {
  more.insert(more.end(), {"--reference", reference, "--json"});
  const Ran ran = run_program(on_images({"evaluate", model}, more));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const Json report = Json::parse(ran.out);
  expect_valid(report);
  return report["evaluation"];
}

void expect_refused(const Arguments& arguments, int code, const std::vector<std::string>& words) {
  const Ran ran = run_program(arguments);
  EXPECT_EQ(ran.exit_code, code) << ran.err;
  for (const std::string& word : words)
    EXPECT_NE(ran.err.find(word), std::string::npos) << "no '" << word << "' in: " << ran.err;
}

TEST(Metrics, BoxesOfADetector) {
  const auto folder = fresh_folder();
  const std::string model = saved(folder / "a.onnx", detector()),
                    moved = saved(folder / "b.onnx", detector(0.8));
  const Json same = evaluated(model, model, {"--metric", "boxes"});
  EXPECT_EQ(same["boxes"]["decoder"], "ssd");
  EXPECT_EQ(same["boxes"]["f1"], 1.0);
  EXPECT_GT(same["boxes"]["reference"].get<int>(), 12) << "more than one box an image";
  EXPECT_EQ(same["metrics"]["names"], Json::array({"boxes"}));
  const Json other = evaluated(moved, model, {"--metric", "boxes", "--score-threshold", "0.2"});
  EXPECT_LT(other["boxes"]["f1"].get<double>(), 0.5);
  EXPECT_GT(other["boxes"]["reference"].get<int>(), same["boxes"]["reference"].get<int>())
      << "a lower threshold";
  expect_refused(on_images({"evaluate", moved, "--reference", model, "--min-boxes-f1", "0.95"}), 8,
                 {"F1 of the boxes", "--min-boxes-f1 asks for 0.95"});
}

TEST(Metrics, StringsOfARecognizer) {
  const auto folder = fresh_folder();
  const std::string model = saved(folder / "a.onnx", recognizer());
  const Json first = evaluated(model, model, {"--metric", "ctc"});
  EXPECT_EQ(first["ctc"]["lines"], 12);
  EXPECT_EQ(first["ctc"]["character_error"], 0.0);
  EXPECT_EQ(first["ctc"]["equal_lines"], 100.0);
  EXPECT_GT(first["ctc"]["characters"].get<int>(), 12);
  const Json last = evaluated(model, model, {"--metric", "ctc", "--ctc-blank", "-1"});
  EXPECT_EQ(last["ctc"]["blank"], 5);
  EXPECT_NE(last["ctc"]["characters"], first["ctc"]["characters"]) << "another class is the blank";
}

TEST(Metrics, DefaultsGoByTheOutputs) {
  const auto folder = fresh_folder();
  const std::string model = saved(folder / "a.onnx", detector());
  const Json boxes = evaluated(model, model, {});
  EXPECT_EQ(boxes["metrics"]["names"], Json::array({"sqnr", "cosine"}));
  EXPECT_NE(boxes["metrics"]["reason"].get<std::string>().find("'scores' [1,9,2]"),
            std::string::npos);
  EXPECT_TRUE(boxes["agreement"].is_null());
  const Json classes = evaluated(data("demo.onnx"), data("demo.onnx"), {});
  EXPECT_EQ(classes["metrics"]["names"], Json::array({"agreement", "sqnr", "cosine"}));
  const Ran ran = run_program(on_images({"evaluate", model, "--reference", model}));
  EXPECT_EQ(ran.out.find("agreement"), std::string::npos) << ran.out;
}

TEST(Metrics, QuantizeMeasuresAndGates) {
  const auto folder = fresh_folder();
  const std::string model = saved(folder / "a.onnx", detector());
  const std::string out = (folder / "out.onnx").string(), report = (folder / "r.json").string();
  const Ran ran = run_program(
      on_images({"quantize", model, "-o", out, "--report", report}, {"--min-boxes-f1", "0.5"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("boxes (ssd): F1 "), std::string::npos) << ran.out;
  const Json evaluation = read_json_file(report)["evaluation"];
  EXPECT_GE(evaluation["boxes"]["f1"].get<double>(), 0.5);
  EXPECT_NE(evaluation["metrics"]["reason"].get<std::string>().find("a gate needs boxes"),
            std::string::npos);
  expect_refused(on_images({"quantize", model, "-o", out},
                           {"--min-boxes-f1", "0.9", "--score-threshold", "1"}),
                 8, {"neither model finds a box"});
}

TEST(Metrics, ThePageShowsThem) {
  const auto folder = fresh_folder();
  const std::string page = (folder / "page.html").string(), out = (folder / "out.onnx").string();
  for (const auto& [text, metric, words] : {std::tuple{detector(), "boxes", "F1 of the boxes"},
                                            {recognizer(), "ctc", "Same string on"}}) {
    const std::string model = saved(folder / "a.onnx", text);
    const Ran ran = run_program(
        on_images({"quantize", model, "-o", out, "--html", page}, {"--metric", metric}));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(read_file(page).find(words), std::string::npos) << metric;
  }
}

TEST(Metrics, CompareByBoxesAndByStrings) {
  const auto folder = fresh_folder();
  for (const auto& [text, objective, part] :
       {std::tuple{detector(), "boxes", "boxes"}, {recognizer(), "ctc", "ctc"}}) {
    const std::string model = saved(folder / "a.onnx", text);
    const Ran ran =
        run_program(on_images({"compare", model, "--method", "minmax", "--method", "mse", "--json"},
                              {"--objective", objective}));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const Json report = Json::parse(ran.out);
    EXPECT_EQ(report["objective"], objective);
    for (const Json& method : report["methods"])
      EXPECT_TRUE(method["evaluation"][part].is_object());
    EXPECT_NE(report["best"]["reason"].get<std::string>().find(objective), std::string::npos);
  }
  const std::string model = saved(folder / "a.onnx", detector());
  const Ran ran = run_program(on_images({"compare", model, "--method", "minmax", "--json"}));
  EXPECT_EQ(Json::parse(ran.out)["objective"], "sqnr") << "agreement means nothing here";
}

TEST(Metrics, DoNotDependOnThreads) {
  const auto folder = fresh_folder();
  const std::string model = saved(folder / "a.onnx", detector()),
                    moved = saved(folder / "b.onnx", detector(0.3));
  const Arguments all = {"--metric", "boxes", "--metric", "psnr", "--metric", "ctc"};
  Arguments three = all;
  three.insert(three.end(), {"--threads", "3"});
  EXPECT_EQ(evaluated(moved, model, all), evaluated(moved, model, three));
}

TEST(Metrics, WhatCannotBeMeasuredIsRefused) {
  const std::string demo = data("demo.onnx"), out = (fresh_folder() / "out.onnx").string();
  const auto evaluate = [&](const Arguments& more) {
    return on_images({"evaluate", demo, "--reference", demo}, more);
  };
  expect_refused(evaluate({"--metric", "boxes"}), 6, {"no decoder fits", "[1,", "--decoder"});
  expect_refused(evaluate({"--metric", "boxes", "--decoder", "yolox"}), 6,
                 {"--decoder yolox takes"});
  expect_refused(evaluate({"--metric", "ctc"}), 6, {"[N,T,C]"});
  expect_refused(evaluate({"--metric", "accuracy"}), 2, {"no such metric", "agreement"});
  expect_refused(evaluate({"--decoder", "rcnn"}), 2, {"no such decoder", "yolox"});
  expect_refused(evaluate({"--metric", "topk"}), 2, {"--labels"});
  expect_refused(
      on_images({"evaluate", demo, "--labels", data("calib/labels.csv"), "--metric", "sqnr"}), 2,
      {"--reference"});
  expect_refused(on_images({"quantize", demo, "-o", out, "--metric", "boxes"}), 6,
                 {"no decoder fits"});
  expect_refused({"quantize", demo, "-o", out, "--format", "dynamic", "--metric", "sqnr"}, 2,
                 {"--eval-data"});
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace intaglio::testing
