#include "lib/eval/decoders.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/support.h"

namespace intaglio {
namespace {

OutputType floats(const char* name, Shape shape) { return {name, DType::f32, std::move(shape)}; }

Signature of_image(Shape image, std::vector<OutputType> outputs, bool suppresses = false) {
  return {std::move(image), std::move(outputs), suppresses};
}

std::string chosen(const Signature& signature) {
  return std::string(choose_decoder("auto", signature).def->name);
}

TEST(ChooseDecoder, ByTheShapes) {
  const Shape image = {1, 3, 416, 416};
  EXPECT_EQ(chosen(of_image(image, {floats("output", {1, 3549, 85})})), "yolox");
  EXPECT_EQ(chosen(of_image({1, 416, 416, 3}, {floats("output", {1, 3549, 85})})), "yolox");
  EXPECT_EQ(chosen(of_image({1, 3, 1280, 1280}, {floats("o", {1, 34000, 85})})), "yolox")
      << "with stride 64";
  EXPECT_EQ(chosen(of_image(image, {floats("output", {1, 3 * 3549, 85})})), "yolov5");
  EXPECT_EQ(chosen(of_image(image, {floats("output", {1, 84, 3549})})), "yolov8");
  EXPECT_EQ(chosen(of_image(image, {floats("s", {1, 50, 2}), floats("b", {1, 50, 4})})), "ssd");
  EXPECT_EQ(chosen(of_image(image, {floats("scores", {1, 50, 4}), floats("boxes", {1, 50, 4})})),
            "ssd")
      << "names tell four classes from four corners";
}

TEST(ChooseDecoder, OutputsOfTheGraphsOwnSuppression) {
  const Shape image = {1, 3, 64, 64};
  const std::vector<OutputType> lists = {
      floats("boxes", {7, 4}), {"labels", DType::s64, {7}}, floats("scores", {7})};
  EXPECT_EQ(chosen(of_image(image, lists, true)), "nms");
  EXPECT_THROW(chosen(of_image(image, lists)), Error) << "nothing in the graph suppresses boxes";
  EXPECT_STREQ(choose_decoder("nms", of_image(image, lists)).def->name.data(), "nms");
  const Decoder padded = choose_decoder(
      "auto", of_image(image,
                       {floats("num_detections", {1}), floats("detection_scores", {1, 9}),
                        floats("detection_classes", {1, 9}), floats("detection_boxes", {1, 9, 4})},
                       true));
  EXPECT_EQ(padded.roles, (std::vector<std::size_t>{3, 1, 2, 0}));
}

TEST(ChooseDecoder, RefusesWithTheShapes) {
  const Signature classifier = of_image({1, 3, 224, 224}, {floats("prob", {1, 1000})});
  for (const char* name : {"auto", "yolox", "ssd"}) {
    try {
      choose_decoder(name, classifier);
      FAIL() << name;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::unsupported);
      EXPECT_NE(std::string(e.what()).find("'prob' [1,1000]"), std::string::npos) << e.what();
    }
  }
  try {
    choose_decoder("yolo", classifier);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage);
    EXPECT_NE(e.remedy().find("yolox"), std::string::npos) << e.remedy();
  }
}

// The detections of the first image.
Detections decoded(const char* name, const Tensor& image, const std::vector<Tensor>& outputs,
                   std::vector<std::string> names = {"output"}) {
  Signature signature{image.shape(), {}, false};
  for (std::size_t o = 0; o < outputs.size(); ++o)
    signature.outputs.push_back({names[o], outputs[o].dtype(), outputs[o].shape()});
  return detect(choose_decoder(name, signature), {}, std::span(&image, 1), outputs).front();
}

void expect_box(const Detection& d, Box box, float score, std::int64_t label) {
  EXPECT_NEAR(d.box.x1, box.x1, 1e-4);
  EXPECT_NEAR(d.box.y1, box.y1, 1e-4);
  EXPECT_NEAR(d.box.x2, box.x2, 1e-4);
  EXPECT_NEAR(d.box.y2, box.y2, 1e-4);
  EXPECT_NEAR(d.score, score, 1e-6);
  EXPECT_EQ(d.label, label);
}

TEST(Decode, YoloxAddsTheCellAndScalesByItsStride) {
  // 64x32 pixels: grids of 8x4, 4x2 and 2x1 cells.
  std::vector<float> values(42 * 7, 0);
  const auto put = [&](std::size_t place, std::initializer_list<float> numbers) {
    std::copy(numbers.begin(), numbers.end(),
              values.begin() + static_cast<std::ptrdiff_t>(place * 7));
  };
  put(8 + 3, {0.5f, 0.25f, std::log(2.0f), 0, 0.9f, 0.1f, 0.8f});  // row 1, column 3, stride 8
  put(32 + 4 + 1, {0, 0, 0, std::log(0.5f), 1, 0.5f, 0.4f});       // row 1, column 1, stride 16
  put(5, {0, 0, 0, 0, 0.5f, 0.5f, 0.5f});                          // 0.25: too low
  const Detections d =
      decoded("auto", Tensor::of<float>({1, 1, 32, 64}, std::vector<float>(32 * 64)),
              {Tensor::of<float>({1, 42, 7}, values)});
  ASSERT_EQ(d.size(), 2u);
  expect_box(d[0], {28 - 8, 10 - 4, 28 + 8, 10 + 4}, 0.72f, 1);
  expect_box(d[1], {16 - 8, 16 - 4, 16 + 8, 16 + 4}, 0.5f, 0);
}

TEST(Decode, PixelsWithAndWithoutObjectness) {
  const Tensor image = Tensor::of<float>({1, 1, 8, 8}, std::vector<float>(64));
  const Detections v5 =
      decoded("yolov5", image, {Tensor::of<float>({1, 1, 7}, {50, 40, 20, 10, 0.5f, 0.2f, 0.8f})});
  ASSERT_EQ(v5.size(), 1u);
  expect_box(v5[0], {40, 35, 60, 45}, 0.4f, 1);
  const Detections v8 =
      decoded("yolov8", image,
              {Tensor::of<float>({1, 6, 2}, {50, 0, 40, 0, 20, 0, 10, 0, 0.2f, 0, 0.8f, 0})});
  ASSERT_EQ(v8.size(), 1u);
  expect_box(v8[0], {40, 35, 60, 45}, 0.8f, 1);
}

TEST(Decode, SsdDropsTheBackgroundAndOverlaps) {
  const Tensor image = Tensor::of<float>({1, 1, 8, 8}, std::vector<float>(64));
  const Tensor scores = Tensor::of<float>({1, 3, 2}, {0.1f, 0.9f, 0.3f, 0.7f, 0.9f, 0.1f});
  const Tensor boxes =
      Tensor::of<float>({1, 3, 4}, {0, 0, 0.5f, 0.5f, 0, 0, 0.5f, 0.49f, 0, 0, 1, 1});
  const Detections d = decoded("auto", image, {scores, boxes}, {"scores", "boxes"});
  ASSERT_EQ(d.size(), 1u);
  expect_box(d[0], {0, 0, 0.5f, 0.5f}, 0.9f, 1);
}

TEST(Decode, SuppressedBoxesStayAsTheyAre) {
  const Tensor image = Tensor::of<float>({1, 1, 8, 8}, std::vector<float>(64));
  const Tensor boxes = Tensor::of<float>({1, 3, 4}, {0, 0, 9, 9, 0, 0, 9, 9, 1, 1, 2, 2});
  const Tensor scores = Tensor::of<float>({1, 3}, {0.9f, 0.8f, 0.7f});
  const Tensor classes = Tensor::of<float>({1, 3}, {5, 5, 6}),
               count = Tensor::of<std::int64_t>({1}, {2});
  const Detections d =
      decoded("nms", image, {boxes, scores, classes, count}, {"boxes", "scores", "classes", "num"});
  ASSERT_EQ(d.size(), 2u) << "as many as counted, the overlapping one too";
  expect_box(d[1], {0, 0, 9, 9}, 0.8f, 5);
  const Detections none = decoded("nms", image,
                                  {Tensor::of<float>({0, 4}, {}), Tensor::of<float>({0}, {}),
                                   Tensor::of<std::int64_t>({0}, {})},
                                  {"boxes", "scores", "labels"});
  EXPECT_TRUE(none.empty());
}

TEST(Decode, EveryImageOfTheBatch) {
  const Tensor image = Tensor::of<float>({2, 1, 8, 8}, std::vector<float>(128));
  const Tensor scores = Tensor::of<float>({2, 1, 2}, {0.9f, 0.1f, 0.2f, 0.8f});
  const Tensor boxes = Tensor::of<float>({2, 1, 4}, {0, 0, 1, 1, 0, 0, 2, 2});
  const Signature signature{image.shape(), {floats("s", {2, 1, 2}), floats("b", {2, 1, 4})}, false};
  const std::vector<Tensor> outputs = {scores, boxes};
  const auto images = detect(choose_decoder("ssd", signature), {}, std::span(&image, 1), outputs);
  ASSERT_EQ(images.size(), 2u);
  EXPECT_TRUE(images[0].empty());
  ASSERT_EQ(images[1].size(), 1u);
  expect_box(images[1][0], {0, 0, 2, 2}, 0.8f, 1);
}

TEST(Decode, LogitsAreNoProbabilities) {
  const Signature signature{
      {1, 1, 8, 8}, {floats("logits", {1, 1, 2}), floats("boxes", {1, 1, 4})}, false};
  const Decoder decoder = choose_decoder("auto", signature);
  std::vector<Tensor> outputs = {Tensor::of<float>({1, 1, 2}, {-3, 5}),
                                 Tensor::of<float>({1, 1, 4}, {0, 0, 1, 1})};
  EXPECT_THROW(require_probabilities(decoder, signature, outputs), Error);
  outputs[0] = Tensor::of<float>({1, 1, 2}, {0.2f, 0.8f});
  EXPECT_NO_THROW(require_probabilities(decoder, signature, outputs));
}

}  // namespace
}  // namespace intaglio
