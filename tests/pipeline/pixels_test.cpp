#include "apps/pipeline/pixels.h"

#include <gtest/gtest.h>

#include <cmath>

namespace intaglio {
namespace {

Scheme codes(DType type) {
  Scheme scheme;
  scheme.type = type;
  return scheme;
}

QParams params_for(const PreprocessRecipe& recipe, DType type) {
  const Range range = range_for_pixels(pixel_range(recipe).value());
  return choose_qparams(std::span(&range, 1), codes(type));
}

// The code that a QuantizeLinear makes of a pixel.
int code_of_pixel(const PreprocessRecipe& recipe, const QParams& params, int pixel) {
  const auto real =
      static_cast<float>((pixel * recipe.scale - recipe.mean[0]) / recipe.deviation[0]);
  const int least = params.type == DType::s8 ? -128 : 0;
  return std::clamp(static_cast<int>(std::nearbyint(real / params.scale[0])) + params.zero_point[0],
                    least, least + 255);
}

TEST(Pixels, CodesAreThePixelsOrTheseLess128) {
  for (const auto& [scale, mean, deviation] : {std::tuple{1.0, 0.0, 1.0},
                                               {1.0, 0.0, 255.0},
                                               {1 / 255.0, 0.0, 1.0},
                                               {1.0, 128.0, 128.0},
                                               {1.0, 100.0, 50.0}}) {
    PreprocessRecipe recipe;
    recipe.scale = scale;
    recipe.mean = {mean};
    recipe.deviation = {deviation};
    for (const DType type : {DType::u8, DType::s8}) {
      const QParams params = params_for(recipe, type);
      const int offset = type == DType::s8 ? 128 : 0;
      const auto found = pixel_codes(recipe, params);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->formula(), offset == 0 ? "p" : "p - 128");
      for (int p = 0; p < 256; ++p) EXPECT_EQ(code_of_pixel(recipe, params, p), p - offset) << mean;
    }
  }
}

// p / 127.5 - 1: no pixel is 0, which a code must be.
TEST(Pixels, HalfAStepOffIsNearEnough) {
  PreprocessRecipe recipe;
  recipe.scale = 1 / 127.5;
  recipe.mean = {1, 1, 1};
  const QParams params = params_for(recipe, DType::s8);
  EXPECT_EQ(params.zero_point[0], 0);
  EXPECT_NEAR(params.scale[0], 1 / 127.5, 1e-5);
  const auto found = pixel_codes(recipe, params);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->formula(), "p - (p < 128 ? 127 : 128)");
  for (int p = 0; p < 256; ++p) {
    const double real = p / 127.5 - 1;
    EXPECT_LT(std::abs((p - 128) * static_cast<double>(params.scale[0]) - real), 0.55 / 127.5);
    EXPECT_EQ(code_of_pixel(recipe, params, p), found->of(p)) << "what run feeds";
  }
  EXPECT_EQ(params_for(recipe, DType::u8).zero_point[0], 128);
}

TEST(Pixels, ChannelsThatDifferHaveNoRangeOfTheirOwn) {
  PreprocessRecipe recipe;
  recipe.mean = {104, 117, 123};
  EXPECT_FALSE(pixel_range(recipe));
  recipe.mean = {0};
  recipe.deviation = {-1};
  EXPECT_FALSE(pixel_range(recipe)) << "negatives of pixels";
}

}  // namespace
}  // namespace intaglio
