// The decoders on real detectors and photographs, against boxes that were decoded by other
// programs.
#include <gtest/gtest.h>

#include <algorithm>

#include "apps/pipeline/execution.h"
#include "apps/pipeline/load.h"
#include "calibration/data/image.h"
#include "calibration/data/preprocess.h"
#include "lib/eval/decoders.h"
#include "lib/exec/executor.h"
#include "lib/passes/pass.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

Detections found(const std::filesystem::path& file, const std::filesystem::path& photograph,
                 const PreprocessRecipe& recipe) {
  Model model = load_runnable(file);
  prepare_to_run(model);
  const Graph& graph = model.graph();
  const Value& input = *graph.feeds().front();
  const std::vector<Tensor> feeds = {Preprocessor(
      recipe, FeedType(input.name(), input.dtype(), *input.dims()))(read_image(photograph))};
  const std::vector<Tensor> outputs = Executor(graph).run(feeds);
  const Decoder decoder = choose_decoder("auto", signature_of(graph, feeds, outputs));
  return detect(decoder, {}, feeds, outputs).front();
}

void expect_near(const Box& box, const Box& expected, double tolerance) {
  EXPECT_NEAR(box.x1, expected.x1, tolerance);
  EXPECT_NEAR(box.y1, expected.y1, tolerance);
  EXPECT_NEAR(box.x2, expected.x2, tolerance);
  EXPECT_NEAR(box.y2, expected.y2, tolerance);
}

TEST(Detectors, YoloxFindsTheBusAndThreePassengers) {
  SKIP_WITHOUT_SHARED(model, "assets/models/yolox_nano.onnx");
  SKIP_WITHOUT_SHARED(photograph, "assets/misc_inputs/bus.jpg");
  PreprocessRecipe recipe;
  recipe.channels = Channels::bgr;
  recipe.letterbox = true;
  const Detections d = found(model, photograph, recipe);
  ASSERT_EQ(d.size(), 4u);
  EXPECT_EQ(d[0].label, 5) << "COCO's bus";
  EXPECT_NEAR(d[0].score, 0.911, 0.01);
  expect_near(d[0].box, {2.9f, 88.5f, 310.4f, 282.7f}, 2);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(d[i].label, 0) << "a person";
  expect_near(d[1].box, {21.5f, 149.6f, 81.4f, 346.7f}, 2);
}

TEST(Detectors, UltraFaceFindsAGroup) {
  SKIP_WITHOUT_SHARED(model, "assets/models/ultraface_version-RFB-320.onnx");
  SKIP_WITHOUT_SHARED(photograph, "assets/misc_inputs/11.jpg");
  PreprocessRecipe recipe;
  recipe.mean = {127};
  recipe.deviation = {128};
  recipe.resize = parse_resize("320x240");
  const Detections d = found(model, photograph, recipe);
  EXPECT_EQ(d.size(), 25u);
  EXPECT_TRUE(std::any_of(d.begin(), d.end(), [](const Detection& face) {
    return iou(face.box, {0.610f, 0.384f, 0.655f, 0.465f}) > 0.9;
  }));
}

}  // namespace
}  // namespace intaglio::testing
