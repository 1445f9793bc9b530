#include "calibration/data/jpeg_pixels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "calibration/data/image.h"
#include "lib/base/hash.h"

namespace intaglio {
namespace {

// ITU-T T.81, A.3.3, in double.
double exact_sample(const std::int16_t* coefficients, int x, int y) {
  double sum = 0;
  for (int v = 0; v < 8; ++v)
    for (int u = 0; u < 8; ++u)
      sum += (u == 0 ? std::numbers::sqrt2 / 2 : 1) * (v == 0 ? std::numbers::sqrt2 / 2 : 1) *
             coefficients[8 * v + u] * std::cos((2 * x + 1) * u * std::numbers::pi / 16) *
             std::cos((2 * y + 1) * v * std::numbers::pi / 16);
  return std::clamp(sum / 4 + 128, 0.0, 255.0);
}

TEST(JpegPixels, InverseDctIsWithinOneLevelOfItsDefinition) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::int16_t coefficients[64] = {};
    for (auto& c : coefficients)
      if (random() % 4 == 0) c = static_cast<std::int16_t>(static_cast<int>(random() % 401) - 200);
    std::uint8_t block[64];
    inverse_dct(block, 8, coefficients);
    for (int i = 0; i < 64; ++i)
      EXPECT_NEAR(block[i], exact_sample(coefficients, i % 8, i / 8), 1.0) << round << " " << i;
  }
}

TEST(JpegPixels, CoefficientsThatNoEncoderMakesAreClamped) {
  std::int16_t coefficients[64] = {};
  std::uint8_t block[64], again[64];
  for (const auto& [mean, sample] : {std::pair{32767, 255}, {-32768, 0}}) {
    coefficients[0] = static_cast<std::int16_t>(mean);
    inverse_dct(block, 8, coefficients);
    for (const int s : block) EXPECT_EQ(s, sample) << mean;
  }
  // Where all are at the limit, sums wrap around: any samples, but all of them and always the same.
  std::fill_n(coefficients, 64, std::int16_t{32767});
  std::fill_n(block, 64, std::uint8_t{1});
  std::fill_n(again, 64, std::uint8_t{2});
  inverse_dct(block, 8, coefficients);
  inverse_dct(again, 8, coefficients);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(block[i], again[i]) << i;
}

// The expected values are those of libjpeg-turbo 3.1.
TEST(JpegPixels, HalfResolutionIsInterpolated) {
  const std::uint8_t luma[8] = {}, blue[4] = {128, 128, 128, 128}, red[4] = {128, 138, 158, 150};
  const auto rgb = jpeg_rgb(
      {JpegPlane{luma, 8, 8, 1}, JpegPlane{blue, 4, 4, 1, 2, 1}, JpegPlane{red, 4, 4, 1, 2, 1}}, 8,
      1, JpegColor::rgb);
  const std::uint8_t expected[8] = {128, 131, 135, 143, 153, 156, 152, 150};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(rgb[3 * i + 2], expected[i]) << i;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// 19x13 pixels with chroma at half the resolution both ways; the hash is that of what PIL's
// Image.open().convert("RGB") gives (libjpeg-turbo 3.1).
TEST(JpegPixels, AreThoseOfTheCommonLibrary) {
  const std::string bytes = from_hex(
      "ffd8ffe000104a46494600010100000100010000ffdb004300140e0f120f0d14121012171514181e32211e1c"
      "1c1e3d2c2e243249404c4b47404645505a736250556d5645466488656d777b8182814e608d978c7d96737e81"
      "7cffdb0043011517171e1a1e3b21213b7c5346537c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c"
      "7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7cffc0001108000d0013030122000211010311"
      "01ffc40017000003010000000000000000000000000000040502ffc400211000020202010403000000000000"
      "0000000102030400110514212231517181ffc40017010003010000000000000000000000000001020305ffc4"
      "0021110001030207010000000000000000000001000203041112223141516191f0ffda000c03010002110311"
      "003f0063ae6b2860b2a559bd1d686620969d766460eccbf1912ff336a51e457f06335a568ebc528eed21d1de"
      "5c536674605badbd4af7e1793a5d513ce203a08dafac31b4ab13202546c8c3334d3c1c2369be2bffd9");
  const Image image = decode_image(std::as_bytes(std::span(bytes)));
  ASSERT_EQ(image.width, 19);
  ASSERT_EQ(image.height, 13);
  EXPECT_EQ(sha256({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()}),
            "e382dad425c7e469ffff8e0809f6c0fab1fa66c48cb128fd1361292d54da8d3a");
}

}  // namespace
}  // namespace intaglio
