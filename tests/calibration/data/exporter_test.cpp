#include "calibration/data/exporter.h"

#include <gtest/gtest.h>

namespace intaglio {
namespace {

TEST(Exporter, UltralyticsDetectorsAreLetterboxedInTheMiddle) {
  const auto recipe = recipe_of_exporter(
      {{"task", "detect"}, {"stride", "32"}, {"imgsz", "[480, 640]"}, {"names", "{0: 'a'}"}});
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe->name, "ultralytics");
  EXPECT_TRUE(recipe->letterbox && recipe->centred);
  EXPECT_EQ(recipe->crop, (Size{640, 480}));
  EXPECT_NEAR(input_range(*recipe).hi, 1, 1e-9);
  const auto classifier =
      recipe_of_exporter({{"task", "classify"}, {"stride", "1"}, {"imgsz", "[224, 224]"}});
  EXPECT_FALSE(classifier->letterbox);
  EXPECT_EQ(classifier->resize.shorter, 224);
}

TEST(Exporter, TimmAndTorchvision) {
  const auto timm = recipe_of_exporter({{"mean", "(0.485, 0.456, 0.406)"},
                                        {"std", "(0.229, 0.224, 0.225)"},
                                        {"input_size", "(3, 224, 224)"},
                                        {"crop_pct", "0.875"}});
  ASSERT_TRUE(timm);
  EXPECT_EQ(timm->name, "timm");
  EXPECT_EQ(timm->crop, (Size{224, 224}));
  EXPECT_EQ(timm->resize.shorter, 256);
  EXPECT_NEAR(input_range(*timm).hi, 2.64, 0.01);
  const auto torchvision = recipe_of_exporter({{"mean", "[0.485, 0.456, 0.406]"},
                                               {"std", "[0.229, 0.224, 0.225]"},
                                               {"crop_size", "[224]"},
                                               {"resize_size", "[232]"}});
  EXPECT_EQ(torchvision->name, "torchvision");
  EXPECT_EQ(torchvision->resize.shorter, 232);
  const auto pixels = recipe_of_exporter({{"image_mean", "[127.5]"}, {"image_std", "[127.5]"}});
  EXPECT_EQ(pixels->name, "transformers");
  EXPECT_NEAR(input_range(*pixels).lo, -1, 1e-9);
}

TEST(Exporter, PaddleReadsLines) {
  const Metadata metadata{{"character", "a\nb\nc"}};
  const auto recipe = recipe_of_exporter(metadata);
  ASSERT_TRUE(recipe);
  EXPECT_EQ(recipe->resize.mode, Resize::Mode::height);
  EXPECT_EQ(recipe->resize.height, 48);
  EXPECT_EQ(recipe->channels, Channels::bgr);
  const auto names = class_names_of_exporter(metadata);
  EXPECT_EQ(names.at(1), "a");
  EXPECT_EQ(names.at(4), " ");
  EXPECT_FALSE(names.contains(0)) << "the blank";
}

TEST(Exporter, ReadsNamesAsPythonAndJsonPrintThem) {
  for (const char* text :
       {R"({0: 'person', 1: "bird's nest"})", R"({"0": "person", "1": "bird's nest"})"}) {
    const auto names = class_names_of_exporter({{"names", text}});
    ASSERT_EQ(names.size(), 2u) << text;
    EXPECT_EQ(names.at(1), "bird's nest");
  }
  const auto odd = class_names_of_exporter({{"names", R"({0: '', 1: "'tis"})"}});
  EXPECT_EQ(odd.at(0), "");
  EXPECT_EQ(odd.at(1), "'tis");
}

TEST(Exporter, SizesBeyondReasonAreNoSizes) {
  const auto recipe = recipe_of_exporter(
      {{"mean", "0.5"}, {"std", "0.5"}, {"resize_size", "1e300"}, {"crop_size", "[0, 224]"}});
  ASSERT_TRUE(recipe);
  EXPECT_FALSE(recipe->crop);
  EXPECT_EQ(recipe->resize.mode, Resize::Mode::automatic);
}

TEST(Exporter, WhatCannotBeReadIsNone) {
  EXPECT_FALSE(recipe_of_exporter({}));
  EXPECT_FALSE(recipe_of_exporter({{"mean", "0.5"}}));
  EXPECT_FALSE(recipe_of_exporter({{"mean", "half"}, {"std", "[1, 1, 1]"}}));
  EXPECT_FALSE(recipe_of_exporter({{"mean", "0.5"}, {"std", "0"}}));
  EXPECT_FALSE(recipe_of_exporter({{"mean", "[1e999]"}, {"std", "1"}}));
  for (const char* text : {"", "{", "{0:", "{0: 'a", "{x: 'a'}", "[]", "{0: a}", "{0}"})
    EXPECT_LE(class_names_of_exporter({{"names", text}}).size(), 1u) << text;
}

TEST(Recipe, IsSaidInOneLine) {
  PreprocessRecipe recipe = load_recipe("imagenet");
  recipe.origin = "default";
  recipe.crop = Size{224, 224};
  recipe.resize = {.mode = Resize::Mode::shorter, .shorter = 256};
  EXPECT_EQ(describe(recipe),
            "imagenet (default): RGB, resize 256, crop 224, x/255, mean 0.485 0.456 0.406, std "
            "0.229 0.224 0.225; input -2.12..2.64");
  recipe.mean = {127}, recipe.deviation = {128};
  EXPECT_NE(describe(recipe).find("input -0.992..-0.984"), std::string::npos) << describe(recipe);
  EXPECT_EQ(describe(load_recipe("text-line")),
            "text-line: BGR, height 48, width free, mean 127.5, std 127.5; input -1..1");
  EXPECT_EQ(describe(load_recipe("detector")),
            "detector: BGR, letterbox the input's size, pad 114; input 0..255");
}

}  // namespace
}  // namespace intaglio
