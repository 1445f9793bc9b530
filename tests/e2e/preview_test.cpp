// preview, and the pictures of quantize's and evaluate's pages.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <fstream>

#include "lib/base/atomic_file.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/save.h"
#include "tests/e2e/browser.h"
#include "tests/e2e/page.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using Arguments = std::vector<std::string>;

class Pictures : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  // The page of a command over some of the demo's images.
  std::string page(Arguments arguments, const std::string& option) const {
    arguments.insert(arguments.end(),
                     {option, here("page.html"), "--data", data("calib"), "--limit", "16",
                      "--preprocess", data("preprocess.json"), "--quiet"});
    const Ran ran = run_program(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const std::string text = read_file(here("page.html"));
    EXPECT_EQ(first_fault(text), "");
    for (const char* elsewhere : {"http:", "https:", " src=", "url("})
      EXPECT_FALSE(contains(text, elsewhere)) << elsewhere;
    return text;
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
};

TEST_F(Pictures, PreviewShowsFilesInputsAndAnswers) {
  const std::string text = page({"preview", demo(), "--classes", data("classes.tsv")}, "--output");
  EXPECT_EQ(occurrences(text, "<article"), 16u);
  EXPECT_EQ(occurrences(text, "data:image/jpeg;base64,"), 32u) << "the file and what is fed";
  EXPECT_TRUE(contains(text, ">ring <span") || contains(text, ">disc <span")) << "names of classes";
  EXPECT_TRUE(contains(text, "input -1..1")) << "what reaches the model";
  EXPECT_EQ(text, page({"preview", demo(), "--classes", data("classes.tsv"), "--threads", "3"},
                       "--output"));
}

TEST_F(Pictures, QuantizeShowsTheTwelveWorst) {
  const std::string text =
      page({"quantize", demo(), "-o", here("o.onnx"), "--effort", "fast"}, "--html");
  EXPECT_EQ(occurrences(text, "<article"), 12u);
  EXPECT_TRUE(contains(text, "<dt>Float</dt>"));
  EXPECT_TRUE(contains(text, "<dt>Quantized</dt>"));
}

TEST_F(Pictures, EvaluateHasAPage) {
  const std::string text = page({"evaluate", demo(), "--reference", demo(), "--labels",
                                 data("calib/labels.csv"), "--classes", data("classes.tsv")},
                                "--html");
  EXPECT_TRUE(contains(text, "Top-1 %"));
  EXPECT_TRUE(contains(text, "<dt>Label</dt>"));
  EXPECT_EQ(occurrences(text, "<article"), 12u);
  EXPECT_TRUE(contains(page({"evaluate", demo(), "--labels", data("calib/labels.csv")}, "--html"),
                       "<dt>Classes</dt>"))
      << "without a reference";
}

TEST_F(Pictures, BoxesOfBothModelsAreDrawn) {
  save_model(square_detector("0").model(), here("a.onnx"));
  save_model(square_detector("0.3").model(), here("b.onnx"));
  const std::string text =
      page({"evaluate", here("b.onnx"), "--reference", here("a.onnx")}, "--html");
  EXPECT_TRUE(contains(text, "<g class=\"box-float\"><rect"));
  EXPECT_TRUE(contains(text, "<g class=\"box-int8\"><rect"));
  EXPECT_TRUE(contains(text, "</span> alone</dt><dd>class 1")) << "that the other has not";
  EXPECT_TRUE(contains(text, "looks like a detector (ssd): add --metric boxes"));
}

TEST_F(Pictures, StringsOfBothModelsAreShown) {
  const auto reader = [](const char* sign) {
    return TextModel()
        .input("float[1,3,48,48] image")
        .output("float[1,4,3] steps")
        .constants("int64[3] lines = {1, 3, 4}")
        .constants(std::string("float by = {") + sign + "}")
        .nodes("mean = AveragePool <kernel_shape = [24, 24], strides = [24, 24]> (image)")
        .nodes("rows = Reshape(mean, lines)")
        .nodes("places = Transpose <perm = [0, 2, 1]> (rows)")
        .nodes("turned = Mul(places, by)")
        .nodes("steps = Softmax <axis = 2> (turned)");
  };
  save_model(reader("9").model(), here("a.onnx"));
  save_model(reader("-9").model(), here("b.onnx"));
  write_file(here("letters.txt"), "<\nq\n");
  const std::string text = page({"evaluate", here("b.onnx"), "--reference", here("a.onnx"),
                                 "--characters", here("letters.txt")},
                                "--html");
  EXPECT_TRUE(contains(text, "<dt>Float</dt><dd><code>"));
  EXPECT_TRUE(contains(text, "q</code>") || contains(text, "&lt;</code>")) << "characters, escaped";
  EXPECT_TRUE(contains(text, "looks like a text recognizer: add --metric ctc"));
}

TEST_F(Pictures, HeatShowsWhereImagesDiffer) {
  const auto filter = [](const char* by) {
    return TextModel()
        .input("float[1,3,48,48] image")
        .output("float[1,3,48,48] made")
        .constants(std::string("float by = {") + by + "}")
        .nodes("made = Mul(image, by)");
  };
  save_model(filter("1").model(), here("a.onnx"));
  save_model(filter("0.9").model(), here("b.onnx"));
  const std::string text =
      page({"evaluate", here("b.onnx"), "--reference", here("a.onnx")}, "--html");
  EXPECT_EQ(occurrences(text, "Difference, white is 0.1</figcaption>"), 12u);
  EXPECT_EQ(occurrences(text, "data:image/jpeg;base64,"), 48u) << "seen, both, and heat";
}

TEST_F(Pictures, NamesOfFilesAndClassesAreText) {
  SKIP_WITHOUT_BROWSER(browser);
  const std::string evil = "<script>document.title='owned'<_script>.jpg";
  std::filesystem::create_directories(here("images"));
  std::filesystem::copy_file(data("calib/0000.jpg"), here("images/" + evil));
  write_file(here("classes.txt"), "'\"><script>document.title='owned'</script>\nb\nc\n");
  const Ran ran = run_program({"preview", demo(), "--data", here("images"), "--classes",
                               here("classes.txt"), "-o", here("p.html"), "--quiet"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(first_fault(read_file(here("p.html"))), "");
  const Json seen = browser.ask(here("p.html"), R"js(
    const picture = document.querySelector('svg.picture image').getBoundingClientRect();
    return { title: document.title, scripts: document.scripts.length, width: picture.width };
  )js");
  EXPECT_EQ(seen["title"], "demo.onnx, preview");
  EXPECT_EQ(seen["scripts"], 2);
  EXPECT_GT(seen["width"].get<double>(), 40) << "the policy lets pictures be drawn";
}

TEST_F(Pictures, WhatCannotBeIsRefused) {
  EXPECT_EQ(run_program({"preview", demo()}).exit_code, 2) << "no data";
  EXPECT_EQ(run_program({"preview", demo(), "--data", data("calib"), "-o", demo()}).exit_code, 2);
  EXPECT_EQ(
      run_program({"preview", demo(), "--data", data("calib"), "-o", here("no/p.html")}).exit_code,
      4);
  EXPECT_EQ(run_program({"preview", demo(), "--data", data("calib"), "--characters", here("none"),
                         "-o", here("p.html")})
                .exit_code,
            4);
}

}  // namespace
}  // namespace intaglio::testing
