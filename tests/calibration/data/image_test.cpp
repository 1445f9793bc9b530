#include "calibration/data/image.h"

#include <cmath>
#include <random>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "tests/calibration/data/make_images.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;
using Pixels = std::vector<std::uint8_t>;

Image decode(std::string_view bytes) { return decode_image(std::as_bytes(std::span(bytes))); }

std::string reason(std::string_view bytes) {
  try {
    decode(bytes);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::data);
    return e.what();
  }
  return "no error";
}

TEST(Image, ReadsPngAndBmpExactly) {
  const auto folder = fresh_folder();
  const Image image = pattern(7, 5);
  save_png(folder / "a.png", image);
  save_bmp(folder / "a.bmp", image);
  for (const char* name : {"a.png", "a.bmp"}) {
    const Image read = read_image(folder / name);
    EXPECT_EQ(read.width, 7);
    EXPECT_EQ(read.height, 5);
    EXPECT_EQ(read.channels, 3);
    EXPECT_EQ(read.pixels, image.pixels) << name;
  }
}

TEST(Image, ReplicatesGreyAndDropsAlpha) {
  const auto folder = fresh_folder();
  save_png(folder / "grey.png", {2, 1, 1, {10, 200}});
  save_png(folder / "grey_alpha.png", {2, 1, 2, {10, 0, 200, 128}});
  save_png(folder / "rgba.png", {2, 1, 4, {1, 2, 3, 0, 4, 5, 6, 128}});
  EXPECT_EQ(read_image(folder / "grey.png").pixels, (Pixels{10, 10, 10, 200, 200, 200}));
  EXPECT_EQ(read_image(folder / "grey_alpha.png").pixels, (Pixels{10, 10, 10, 200, 200, 200}));
  EXPECT_EQ(read_image(folder / "rgba.png").pixels, (Pixels{1, 2, 3, 4, 5, 6}));
}

TEST(Image, ReadsSixteenBitPng) {  // 1234 ff00 / 00ff 8080
  const Image image = decode(
      from_hex("89504e470d0a1a0a0000000d4948445200000002000000021000000000074d8ebb00000012494441"
               "54789c631032f9cfc0c8f0bfa111000dc803475ec91e010000000049454e44ae426082"));
  EXPECT_EQ(image.pixels, (Pixels{0x12, 0x12, 0x12, 0xff, 0xff, 0xff, 0, 0, 0, 0x80, 0x80, 0x80}));
}

TEST(Image, ReadsPalettePng) {
  const Image image = decode(
      from_hex("89504e470d0a1a0a0000000d4948445200000003000000010203000000668efc2700000009504c54"
               "45ff000000ff000a141ed97e4de70000000a49444154789c63900000001a00192d88f4360000000049"
               "454e44ae426082"));
  EXPECT_EQ(image.pixels, (Pixels{255, 0, 0, 0, 255, 0, 10, 20, 30}));
}

// 8x8 pixels of CMYK (10, 200, 90, 40), written by PIL, which reads RGB (207, 46, 139).
const std::string cmyk = from_hex(
    "ffd8ffee000e41646f626500640000000000ffdb0043000201010101010201010102020202020403020202020504"
    "040304060506060605060606070908060709070606080b08090a0a0a0a0a06080b0c0b0a0c090a0a0affc0001408"
    "00080008044311004d11005911004b1100ffc4001500010100000000000000000000000000000908ffc400141001"
    "00000000000000000000000000000000ffda000e0443004d0059004b00003f007506da942b8fffd9");

TEST(Image, ConvertsCmyk) {
  const Image image = decode(cmyk);
  ASSERT_EQ(image.pixels.size(), 192u);
  EXPECT_NEAR(image.pixels[0], 207, 1);
  EXPECT_NEAR(image.pixels[1], 46, 1);
  EXPECT_NEAR(image.pixels[2], 139, 1);
  const std::string unmarked = cmyk.substr(0, 2) + cmyk.substr(18);
  EXPECT_EQ(reason(unmarked), "JPEG with four components of unknown meaning");
}

TEST(Image, ReadsJpegClosely) {
  const auto folder = fresh_folder();
  Image image{32, 24, 3, {}};
  for (int i = 0; i < 32 * 24; ++i)
    for (const int v : {i % 32 * 8, i / 32 * 10, 90})
      image.pixels.push_back(static_cast<std::uint8_t>(v));
  save_jpeg(folder / "a.JPEG", image);
  const Image read = read_image(folder / "a.JPEG");
  ASSERT_EQ(read.pixels.size(), image.pixels.size());
  for (std::size_t i = 0; i < read.pixels.size(); ++i)
    EXPECT_NEAR(read.pixels[i], image.pixels[i], 12) << i;
}

TEST(Image, ReadsTinyImages) {
  const auto folder = fresh_folder();
  save_png(folder / "1.png", pattern(1, 1));
  save_jpeg(folder / "1.jpg", pattern(1, 1));
  EXPECT_EQ(read_image(folder / "1.png").pixels, (Pixels{0, 50, 100}));
  EXPECT_EQ(read_image(folder / "1.jpg").pixels.size(), 3u);
}

// Counted before anything is decoded: these have a precision of 0 bits, which no decoder takes.
TEST(Image, JpegsHaveFewScans) {
  const auto jpeg = [](int scans) {
    std::string hex = "ffd8ffc0000b001f401f4001011100";
    for (int i = 0; i < scans; ++i) hex += "ffda0008010100003f00";
    return from_hex(hex + "ffd9");
  };
  EXPECT_EQ(reason(jpeg(80)), "JPEG of too many scans");
  EXPECT_NE(reason(jpeg(8)), "JPEG of too many scans");
}

TEST(Image, SaysWhatIsWrong) {
  EXPECT_EQ(reason(""), "the file is empty");
  EXPECT_EQ(reason("GIF89a..."), "not a JPEG, PNG or BMP image");
  EXPECT_EQ(reason("\xff\xd8\xff\xe0"), "truncated JPEG");
  EXPECT_EQ(reason("BM"), "truncated BMP");
  const auto folder = fresh_folder();
  try {
    read_image(folder / "missing.png");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::io);
  }
}

TEST(Image, RefusesEveryTruncation) {
  const auto folder = fresh_folder();
  save_png(folder / "a.png", pattern(20, 10));
  save_jpeg(folder / "a.jpg", pattern(20, 10));
  save_bmp(folder / "a.bmp", pattern(20, 10));
  for (const char* name : {"a.png", "a.jpg", "a.bmp"}) {
    const std::string whole = read_file(folder / name);
    decode(whole);
    for (std::size_t n = 0; n + 4 < whole.size(); ++n)
      EXPECT_NE(reason(std::string_view(whole).substr(0, n)), "no error") << name << " " << n;
  }
}

TEST(Image, RefusesAbsurdDimensionsBeforeDecoding) {
  std::string png = from_hex("89504e470d0a1a0a0000000d494844520000271000002af80802000000");
  png += std::string(4, '\0') + from_hex("0000000049454e44ae426082");
  EXPECT_EQ(reason(png), "10000x11000 pixels: more than 64 million, or none");
}

TEST(Image, RefusesOversizedHuffmanTables) {  // stb_image 2.27 writes past its own
  const auto folder = fresh_folder();
  save_jpeg(folder / "a.jpg", pattern(20, 10));
  std::string jpeg = read_file(folder / "a.jpg");
  jpeg.replace(jpeg.find("\xff\xc4") + 5, 16, std::string(16, '\xff'));
  EXPECT_EQ(reason(jpeg), "damaged JPEG");
}

TEST(Image, SurvivesDamage) {
  const auto folder = fresh_folder();
  save_png(folder / "a.png", pattern(40, 30));
  save_jpeg(folder / "a.jpg", pattern(40, 30));
  save_bmp(folder / "a.bmp", pattern(40, 30));
  std::mt19937 engine(7);
  for (const char* name : {"a.png", "a.jpg", "a.bmp"}) {
    const std::string whole = read_file(folder / name);
    for (int round = 0; round < 500; ++round) {
      std::string damaged = whole;
      for (int i = 0; i < 1 + round % 8; ++i)
        damaged[engine() % damaged.size()] = static_cast<char>(engine());
      try {
        const Image image = decode(damaged);
        EXPECT_EQ(image.pixels.size(), std::size_t{3} * image.width * image.height);
        EXPECT_EQ(image.pixels, decode(damaged).pixels);  // nothing left to chance
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::data);
      }
    }
  }
}

TEST(Image, GreyIsLumaAsPilRoundsIt) {
  const Image gray = to_gray({4, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77}});
  EXPECT_EQ(gray.channels, 1);
  EXPECT_EQ(gray.pixels, (Pixels{76, 150, 29, 77}));
}

}  // namespace
}  // namespace intaglio
