// Preprocessing that shows itself, through the whole program: its line, its origin, doubts.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "lib/base/atomic_file.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/save.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using Arguments = std::vector<std::string>;

Ran evaluated(const std::string& model, const std::string& images, const Arguments& more) {
  Arguments arguments = {"evaluate", model, "--reference", model, "--data", images, "--json"};
  if (std::find(more.begin(), more.end(), "--limit") == more.end())
    arguments.insert(arguments.end(), {"--limit", "8"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Ran ran = run_program(arguments);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return ran;
}

Ran on_demo(const Arguments& more) { return evaluated(data("demo.onnx"), data("calib"), more); }

TEST(Preprocessing, IsSaidInOneLine) {
  const Ran ran = on_demo({"--preprocess", "unit"});
  EXPECT_TRUE(contains(ran.err,
                       "preprocess: unit (--preprocess): RGB, resize 55, crop 48, x/255; "
                       "input 0..1\n"))
      << ran.err;
  const Json told = Json::parse(ran.out)["data"]["preprocessing"];
  EXPECT_EQ(told["origin"], "--preprocess");
  EXPECT_EQ(told["input_max"], 1.0);
  EXPECT_FALSE(contains(on_demo({"--quiet"}).err, "preprocess:"));
}

TEST(Preprocessing, TheDefaultIsNamedAsSuch) {
  const Ran ran = on_demo({});
  EXPECT_TRUE(contains(ran.err, "preprocess: imagenet (default): RGB")) << ran.err;
  EXPECT_TRUE(contains(ran.err, "no --preprocess given")) << ran.err;
  EXPECT_TRUE(contains(ran.err, "input -2.12..2.64")) << ran.err;
}

TEST(Preprocessing, MeansInPixelsStartFromPixels) {
  const Ran ran = on_demo({"--mean", "127", "--std", "128"});
  EXPECT_TRUE(contains(ran.err, "preprocess: raw (for pixels from 0 to 255, with --mean, --std)"))
      << ran.err;
  EXPECT_TRUE(contains(ran.err, "input -0.992..1\n")) << ran.err;
  const Ran units = on_demo({"--mean", "0.5", "--std", "0.5"});
  EXPECT_TRUE(contains(units.err, "imagenet (default, with --mean, --std)")) << units.err;
  EXPECT_TRUE(contains(units.err, "input -1..1\n")) << units.err;
}

TEST(Preprocessing, TinyRangesAndOneAnswerForAllAreDoubted) {
  const Ran ran = on_demo({"--preprocess", "imagenet", "--mean", "127", "--std", "128"});
  EXPECT_TRUE(contains(ran.err, "the input lies between -0.9922 and -0.9844 whatever the image"))
      << ran.err;
  EXPECT_TRUE(contains(ran.err, "start from --preprocess raw")) << ran.err;
  EXPECT_TRUE(contains(ran.err, " for all 8 samples: are its inputs prepared as it wants them?"))
      << ran.err;
  EXPECT_FALSE(contains(on_demo({"--preprocess", data("preprocess.json")}).err, "prepared"));
}

TEST(Preprocessing, LabelsAtChanceAreDoubted) {
  // The demo's labels, each of them moved to the next class.
  std::istringstream labels(read_file(data("calib/labels.csv")));
  const auto path = fresh_folder() / "moved.csv";
  std::string moved, line;
  std::getline(labels, line);
  for (moved = "file,index\n"; std::getline(labels, line);) {
    const std::size_t comma = line.find(',');
    moved += line.substr(0, comma + 1) +
             std::to_string((std::stoi(line.substr(comma + 1)) + 1) % 10) + "\n";
  }
  write_file(path, moved);
  const Ran ran = on_demo(
      {"--preprocess", data("preprocess.json"), "--limit", "40", "--labels", path.string()});
  EXPECT_TRUE(contains(ran.err, "of the labels, as guessing among 10 classes would be")) << ran.err;
}

// A model with an image of a size, and metadata.
std::string made(const std::filesystem::path& path, const char* graph, const char* key,
                 const char* value, const char* key2 = "", const char* value2 = "") {
  Model model = TextModel(graph).model();
  model.set_metadata(key, value);
  if (*key2 != 0) model.set_metadata(key2, value2);
  save_model(model, path);
  return path.string();
}

constexpr const char* pooled =
    "(float[1,3,48,48] x) => (float[1,3,1,1] y) { y = GlobalAveragePool(x) }";

TEST(Preprocessing, ExportersAreBelieved) {
  const std::string model = made(fresh_folder() / "a.onnx", pooled, "mean", "[0.5, 0.5, 0.5]",
                                 "std", "[0.25, 0.25, 0.25]");
  const Ran ran = evaluated(model, data("calib"), {});
  EXPECT_TRUE(contains(ran.err, "preprocess: torchvision (metadata of the model): RGB")) << ran.err;
  EXPECT_TRUE(contains(ran.err, "input -2..2\n")) << ran.err;
  EXPECT_FALSE(contains(ran.err, "no --preprocess given")) << ran.err;
  const Ran other = evaluated(model, data("calib"), {"--preprocess", "raw"});
  EXPECT_TRUE(contains(other.err,
                       "the model's metadata (torchvision) ask for RGB from -2 to 2, the "
                       "input is RGB from 0 to 255"))
      << other.err;
}

TEST(Preprocessing, AModelThatWasCalibratedOtherwiseSaysSo) {
  const std::string model = (fresh_folder() / "o.onnx").string();
  ASSERT_EQ(run_program({"quantize", data("demo.onnx"), "-o", model, "--data", data("calib"),
                         "--limit", "4", "--preprocess", data("preprocess.json"), "--quiet"})
                .exit_code,
            0);
  EXPECT_TRUE(contains(evaluated(model, data("calib"), {}).err, "(metadata of the model)"));
  const Ran other = evaluated(model, data("calib"), {"--preprocess", "unit"});
  EXPECT_TRUE(contains(other.err, "ask for RGB from -1 to 1, the input is RGB from 0 to 1"))
      << other.err;
  const std::string broken = made(fresh_folder() / "a.onnx", pooled, "intaglio.preprocess", "{");
  EXPECT_FALSE(contains(evaluated(broken, data("calib"), {"--preprocess", "unit"}).err, "metadata"))
      << "nobody asked for it";
}

TEST(Preprocessing, SqueezedLinesAreNamed) {
  const std::string model =
      made(fresh_folder() / "a.onnx",
           "(float[1,3,48,320] x) => (float[1,3,1,1] y) { y = GlobalAveragePool(x) }", "k", "v");
  const Ran ran = evaluated(model, data("calib"), {"--preprocess", "unit", "--resize", "320x48"});
  EXPECT_TRUE(contains(ran.err, "lines of text are squeezed, 8 of 8")) << ran.err;
  EXPECT_TRUE(contains(ran.err, "is fed as 320x48")) << ran.err;
  const Ran kept = evaluated(model, data("calib"), {"--preprocess", "text-line"});
  EXPECT_FALSE(contains(kept.err, "squeezed")) << kept.err;
  EXPECT_TRUE(
      contains(kept.err, "text-line (--preprocess): BGR, height 48, at most 320 wide, pad 127"))
      << kept.err;
}

TEST(Preprocessing, ArraysAreNotSpokenOfAsImages) {
  const auto folder = fresh_folder();
  const Ran ran = run_program(
      {"quantize", data("demo.onnx"), "-o", (folder / "o.onnx").string(), "--format", "weights"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_FALSE(contains(ran.err, "preprocess")) << ran.err;
}

}  // namespace
}  // namespace intaglio::testing
