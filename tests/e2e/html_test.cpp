// --html: the page that quantize and compare draw of the demo.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <fstream>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/e2e/page.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class Html : public ::testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  std::string here(const char* name) const { return (folder_ / name).string(); }

  Ran run(const std::string& command, const std::string& model, Arguments more) const {
    Arguments arguments = {"--quiet", command, model, "--html", here("page.html")};
    if (command == "quantize") arguments.insert(arguments.end(), {"-o", here("int8.onnx")});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }
  std::string page(const std::string& command, Arguments more, const std::string& model) const {
    const Ran ran = run(command, model, more);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.exit_code == 0 ? read_file(here("page.html")) : "";
  }
  // Of the demo, with its calibration images.
  std::string page(const std::string& command, Arguments more = {}) const {
    more.insert(more.end(), {"--data", data("calib"), "--limit", "20", "--preprocess",
                             data("preprocess.json")});
    return page(command, more, data("demo.onnx"));
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
};

void expect_sound(const std::string& page) {
  EXPECT_EQ(first_fault(page), "");
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  EXPECT_EQ(occurrences(page, "<h1>"), 1u);
  EXPECT_EQ(occurrences(page, "<table"), occurrences(page, "<caption>"));
  EXPECT_EQ(occurrences(page, "<svg"), occurrences(page, "role=\"img\" aria-label=\""));
  for (const char* elsewhere : {"http:", "https:", " src=", "<link", "@import", "url("})
    EXPECT_FALSE(contains(page, elsewhere)) << elsewhere;
}

TEST_F(Html, GatesStandOnTop) {
  const std::string held = page("quantize", {"--min-sqnr", "1"});
  EXPECT_TRUE(contains(held, "Gates: all hold"));
  const Ran ran =
      run("quantize", data("demo.onnx"),
          {"--data", data("calib"), "--limit", "20", "--preprocess", data("preprocess.json"),
           "--min-sqnr", "1", "--min-agreement", "100", "--min-cosine", "1"});
  EXPECT_EQ(ran.exit_code, 8) << ran.err;
  const std::string missed = read_file(here("page.html"));
  EXPECT_TRUE(contains(missed, "of 3 missed"));
  EXPECT_LT(missed.find("<section id=\"gates\""), missed.find("<section id=\"summary\""));
  EXPECT_FALSE(contains(page("quantize"), "<section id=\"gates\""));
}

TEST_F(Html, QuantizeDrawsEveryActivationAndEveryWeight) {
  const std::string text = page("quantize", {"--report", here("report.json")});
  expect_sound(text);
  EXPECT_LT(text.size(), 200'000u);
  const Json report = read_json_file(here("report.json"));
  std::size_t activations = 0, weights = 0;
  for (const Json& value : report["values"]) {
    if (!value.contains("scale")) continue;
    EXPECT_TRUE(contains(text, "<code>" + value["name"].get<std::string>() + "</code>"))
        << value["name"];
    activations += value["kind"] == "activation";
    weights += value["kind"] == "weight";
  }
  EXPECT_GT(activations, 10u);
  EXPECT_EQ(occurrences(text, "aria-label=\"Histogram of "), activations);
  EXPECT_EQ(occurrences(text, "aria-label=\"Ranges of the "), weights);
  EXPECT_EQ(occurrences(text, "<path class=\"m0\""), activations) << "one range for each value";
  EXPECT_EQ(occurrences(text, "<path class=\"m1\""), 0u);
  EXPECT_TRUE(contains(text, "No warnings."));
}

TEST_F(Html, CompareDrawsTheRangeOfEveryMethodAndNamesTheBest) {
  const std::string text = page("compare", {"--report", here("report.json")});
  expect_sound(text);
  EXPECT_LT(text.size(), 250'000u);
  const std::size_t values = occurrences(text, "aria-label=\"Histogram of ");
  EXPECT_GT(values, 10u);
  for (const char* lane : {"m0", "m1", "m2", "m3"})
    EXPECT_EQ(occurrences(text, "<path class=\"" + std::string(lane) + "\""), values) << lane;
  const Json report = read_json_file(here("report.json"));
  EXPECT_EQ(occurrences(text, "<strong>best</strong>"), 1u);
  EXPECT_TRUE(contains(text, "<code>" + report["best"]["method"].get<std::string>() +
                                 "</code> <strong>best</strong>"));
}

TEST_F(Html, SaysWhatWasRefinedAndWhatWasKeptFloat) {
  const std::string text = page("quantize", {"--keep-float", "2", "--report", here("report.json")});
  expect_sound(text);
  const Json report = read_json_file(here("report.json"));
  EXPECT_TRUE(contains(text, fmt::format("{} values scaled",
                                         report["refine"]["equalization"]["values"].get<int>())));
  EXPECT_TRUE(contains(text, " biases corrected</dd>"));
  EXPECT_TRUE(contains(text, "<dt>Kept float</dt><dd>2 layers, "));
  for (const Json& layer : report["keep_float"]["layers"])
    EXPECT_TRUE(contains(text, "<code>" + layer["name"].get<std::string>() + "</code>"));
  EXPECT_FALSE(contains(page("quantize", {"--effort", "fast"}), "Kept float"));
}

TEST_F(Html, AnalyzeDrawsEveryLayer) {
  const std::string text = page("analyze", {"--report", here("report.json")});
  expect_sound(text);
  const Json layers = read_json_file(here("report.json"))["analysis"]["layers"];
  EXPECT_EQ(occurrences(text, "<rect class=\"bars\""), layers.size());
  for (const Json& layer : layers)
    EXPECT_TRUE(contains(text, "<code>" + layer["name"].get<std::string>() + "</code>")) << layer;
  EXPECT_EQ(page("analyze", {"--threads", "3"}), text);
}

TEST_F(Html, LabelsGiveTheAccuracyOfBothModels) {
  const std::string text =
      page("quantize", {"--eval-data", data("eval"), "--labels", data("eval/labels.csv")});
  expect_sound(text);
  EXPECT_TRUE(contains(text, " %</strong>, float 93.40 %."));
}

TEST_F(Html, WarningsComeFirst) {
  const std::string text = page("compare", {"--method", "percentile"});
  expect_sound(text);
  const auto warnings = text.find("<h2>Warnings</h2>");
  ASSERT_NE(warnings, std::string::npos);
  EXPECT_EQ(text.find("<h2>"), warnings);
  EXPECT_TRUE(contains(text, "observed too rarely"));
}

TEST_F(Html, NodesLeftFloatHaveTheirReasons) {
  const std::string text =
      page("quantize", {"--exclude-op", "Add", "--report", here("report.json")});
  expect_sound(text);
  const Json report = read_json_file(here("report.json"));
  std::size_t left = 0;
  for (const Json& node : report["nodes"]) {
    if (node["status"] != "float") continue;
    ++left;
    EXPECT_TRUE(contains(text, "data-k=\"name\" class=\"t\"><code>" +
                                   node["name"].get<std::string>() +
                                   "</code></th><td data-k=\"op\" class=\"t\"><code>Add</code></td>"
                                   "<td data-k=\"reason\" class=\"t\">" +
                                   node["reason"].get<std::string>()))
        << node;
  }
  EXPECT_EQ(left, 3u);
  EXPECT_TRUE(contains(text, "3 stay float"));
}

TEST_F(Html, PlansAndFormsWithoutActivationsHaveAPageToo) {
  expect_sound(page("quantize", {"--save-plan", here("plan.json")}));
  const std::string planned = page("quantize", {"--plan", here("plan.json")}, data("demo.onnx"));
  expect_sound(planned);
  EXPECT_TRUE(contains(planned, "not observed"));
  EXPECT_TRUE(contains(planned, "Not evaluated"));
  EXPECT_TRUE(
      contains(page("quantize", {"--format", "weights", "--weights", "bf16"}, data("demo.onnx")),
               "bfloat16"));
  for (const char* form : {"dynamic", "weights"}) {
    const std::string text = page("quantize", {"--format", form}, data("demo.onnx"));
    expect_sound(text);
    EXPECT_TRUE(contains(text, "quantizes no activation ahead of the run")) << form;
  }
}

TEST_F(Html, ThePageChangesNeitherModelNorItsOwnBytes) {
  const std::string one = page("quantize", {"--method", "minmax", "--threads", "1"}),
                    model = read_file(here("int8.onnx"));
  EXPECT_EQ(page("quantize", {"--method", "minmax", "--threads", "3"}), one);
  const Ran ran = run_program({"--quiet", "quantize", data("demo.onnx"), "-o", here("plain.onnx"),
                               "--data", data("calib"), "--limit", "20", "--method", "minmax",
                               "--preprocess", data("preprocess.json")});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(read_file(here("plain.onnx")), model) << "histograms are for the page alone";
}

// Every name in the model an attempt to break out of the page.
TEST_F(Html, NamesAreTextWhateverTheySay) {
  onnx::ModelProto model;
  std::ifstream file(data("demo.onnx"), std::ios::binary);
  ASSERT_TRUE(model.ParseFromIstream(&file));
  const std::string evil = "'\"><script>document.title='owned'</script>&amp;\xff";
  auto& graph = *model.mutable_graph();
  const auto spoil = [&](std::string& name) { name += evil; };
  for (auto& node : *graph.mutable_node()) {
    spoil(*node.mutable_name());
    for (auto& name : *node.mutable_input()) spoil(name);
    for (auto& name : *node.mutable_output()) spoil(name);
  }
  for (auto& value : *graph.mutable_initializer()) spoil(*value.mutable_name());
  for (auto* list : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
    for (auto& value : *list) spoil(*value.mutable_name());
  const std::string path = here("<script>alert(1)<.onnx");
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
  for (const char* command : {"quantize", "compare"}) {
    const std::string text = page(command,
                                  {"--data", data("calib"), "--limit", "12", "--preprocess",
                                   data("preprocess.json"), "--exclude-op", "Add"},
                                  path);
    expect_sound(text);
    EXPECT_EQ(occurrences(text, "<script"), 1u) << "that of the page";
    EXPECT_TRUE(contains(text, "&#39;&quot;&gt;&lt;script&gt;document.title"));
  }
}

TEST_F(Html, OutputsThatCannotBeAreRefusedBeforeTheRun) {
  for (const char* command : {"quantize", "compare"}) {
    const std::string model = here("model.onnx");
    std::filesystem::copy_file(data("demo.onnx"), model,
                               std::filesystem::copy_options::overwrite_existing);
    const Arguments arguments = {"--quiet", command, model, "--data", data("calib"), "--html"};
    const auto with = [&](const std::string& path) {
      Arguments all = arguments;
      all.push_back(path);
      if (std::string(command) == "quantize") all.insert(all.end(), {"-o", here("out.onnx")});
      return run_program(all);
    };
    const Ran same = with(model);
    EXPECT_EQ(same.exit_code, 2) << same.err;
    EXPECT_TRUE(contains(same.err, "output and input are the same file")) << same.err;
    const Ran nowhere = with(here("no/such/page.html"));
    EXPECT_EQ(nowhere.exit_code, 4) << nowhere.err;
    EXPECT_TRUE(contains(nowhere.err, "no/such/page.html")) << nowhere.err;
    EXPECT_FALSE(std::filesystem::exists(here("out.onnx")));
    EXPECT_EQ(read_file(model), read_file(data("demo.onnx")));
  }
}

TEST_F(Html, APageOfARealModelStaysUnder2MB) {
  SKIP_WITHOUT_SHARED(model, "assets/models/mobilenet_v2_1.0_224_dither.onnx");
  SKIP_WITHOUT_SHARED(images, "assets/calib");
  for (const char* command : {"quantize", "compare"}) {
    const std::string text = page(
        command, {"--data", images.string(), "--limit", "4", "--preprocess", "tf"}, model.string());
    expect_sound(text);
    EXPECT_GT(occurrences(text, "aria-label=\"Histogram of "), 60u);
    EXPECT_LT(text.size(), 2'000'000u);
  }
}

}  // namespace
}  // namespace intaglio::testing
