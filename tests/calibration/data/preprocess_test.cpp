#include "calibration/data/preprocess.h"

#include <cmath>

#include "lib/base/configs.h"
#include "tests/calibration/data/make_images.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;

FeedType input(std::vector<std::int64_t> lengths, DType dtype = DType::f32) {
  Dims dims;
  for (const auto n : lengths) dims.push_back({n, ""});
  return FeedType("x", dtype, dims);
}

Image flat(int width, int height, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Image image{width, height, 3, {}};
  for (int i = 0; i < width * height; ++i)
    for (const auto v : {r, g, b}) image.pixels.push_back(v);
  return image;
}

template <typename F>
Error error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  return Error(Code::internal, "no error");
}

TEST(Recipe, PresetsGiveWhatTheySay) {
  const struct {
    const char* name;
    std::vector<float> values;  // of the pixel (255, 100, 0)
  } cases[] = {
      {"tf", {1, 100 / 127.5f - 1, -1}},
      {"imagenet", {(1 - 0.485f) / 0.229f, (100 / 255.f - 0.456f) / 0.224f, -0.406f / 0.225f}},
      {"caffe", {-104, -17, 132}},
      {"unit", {1, 100 / 255.f, 0}},
      {"raw", {255, 100, 0}}};
  for (const auto& [name, values] : cases) {
    const PreprocessRecipe recipe = load_recipe(name);
    EXPECT_EQ(recipe.name, name);
    const Preprocessor prepare(recipe, input({1, 3, 1, 1}));
    EXPECT_TRUE(
        close(prepare(flat(2, 2, 255, 100, 0)), Tensor::of<float>({1, 3, 1, 1}, values), 1e-6))
        << name;
  }
}

TEST(Recipe, UnknownPresetNamesTheKnownOnes) {
  const Error e = error_of([] { load_recipe("tensorflow"); });
  EXPECT_EQ(e.code(), Code::config);
  EXPECT_STREQ(e.what(), "preprocessing preset 'tensorflow': unknown");
  EXPECT_NE(e.remedy().find("caffe, detector, imagenet, raw, text-line, tf, unit"),
            std::string::npos)
      << e.remedy();
  EXPECT_EQ(error_of([] { load_recipe("./missing.json"); }).code(), Code::io);
}

TEST(Recipe, AFolderOfTheUserComesFirst) {
  const auto folder = fresh_folder();
  write_bytes(folder / "preprocess/mine.json", R"({"channels": "GRAY", "crop": 28})");
  ::setenv("INTAGLIO_CONFIGS", folder.c_str(), 1);
  EXPECT_EQ(load_recipe("mine").channels, Channels::gray);
  EXPECT_EQ(load_recipe("mine").crop, (Size{28, 28}));
  EXPECT_EQ(load_recipe("tf").name, "tf");  // ours are still there
  ::setenv("INTAGLIO_CONFIGS", (folder / "none").c_str(), 1);
  EXPECT_EQ(error_of([] { load_recipe("tf"); }).code(), Code::config);
  ::unsetenv("INTAGLIO_CONFIGS");
}

TEST(Recipe, ReadsBackWhatItWrites) {
  const Json json = Json::parse(R"({"name": "n", "channels": "BGR", "scale": 0.5,
    "mean": [1.0, 2.0, 3.0], "std": [4.0], "resize": "320x240", "crop": "300x200",
    "letterbox": false, "pad": 7, "layout": "NHWC"})");
  EXPECT_EQ(recipe_from_json(json, "x").to_json(), json);
  for (const char* resize : {"\"auto\"", "\"none\"", "256", "\"x48\""}) {
    Json variant = json;
    variant["resize"] = Json::parse(resize);
    EXPECT_EQ(recipe_from_json(variant, "x").to_json(), variant);
  }
  EXPECT_EQ(recipe_from_json(PreprocessRecipe().to_json(), "x").to_json(),
            PreprocessRecipe().to_json());
}

TEST(Recipe, MistakesNameTheirPlace) {
  const auto message = [](const char* text) {
    const Error e = error_of([&] { recipe_from_json(Json::parse(text), "r.json"); });
    EXPECT_EQ(e.code(), Code::config) << text;
    return std::string(e.what());
  };
  EXPECT_EQ(message(R"({"chanels": "RGB"})"), "r.json: $.chanels: unknown key");
  EXPECT_EQ(message(R"({"channels": "RGBA"})"),
            "r.json: $.channels: 'RGBA': expected RGB, BGR or GRAY");
  EXPECT_EQ(message(R"({"std": [1, 0, 1]})"), "r.json: $.std: expected numbers not zero");
  EXPECT_EQ(message(R"({"mean": [1, 2]})"), "r.json: $.mean: expected one number or three");
  EXPECT_EQ(message(R"({"pad": 300})"), "r.json: $.pad: expected 0..255");
  EXPECT_NE(message(R"({"resize": "12x"})").find("expected auto, none, N"), std::string::npos);
  EXPECT_NE(message(R"({"crop": [224]})").find("$.crop"), std::string::npos);
}

TEST(Recipe, ParsesOptions) {
  EXPECT_EQ(parse_resize("256").shorter, 256);
  EXPECT_EQ(parse_resize("320x240").exact, (Size{320, 240}));
  EXPECT_EQ(parse_resize("none").mode, Resize::Mode::none);
  EXPECT_EQ(parse_crop("224"), (Size{224, 224}));
  EXPECT_EQ(parse_crop("auto"), std::nullopt);
  EXPECT_EQ(parse_per_channel("104,117,123.5"), (std::vector<double>{104, 117, 123.5}));
  for (const char* text : {"", "0", "-3", "x", "12x", "x0", "1.5", "12x13x14", "99999999999"}) {
    EXPECT_EQ(error_of([&] { parse_resize(text); }).code(), Code::usage) << text;
    EXPECT_EQ(error_of([&] { parse_crop(text); }).code(), Code::usage) << text;
  }
  for (const char* text : {"", ",", "1,", "1,2", "1,2,3,4", "a", "1;2;3", "nan"})
    EXPECT_EQ(error_of([&] { parse_per_channel(text); }).code(), Code::usage) << text;
  EXPECT_EQ(error_of([] { parse_channels("rgb"); }).code(), Code::usage);
  EXPECT_EQ(error_of([] { parse_layout("CHW"); }).code(), Code::usage);
}

TEST(Preprocess, ResizesToTheUsualMarginAndCropsTheCentre) {
  const Image image = pattern(61, 40);
  const Preprocessor prepare({}, input({-1, 3, 14, 14}));
  EXPECT_EQ(prepare.recipe().resize.shorter, 16);
  EXPECT_EQ(prepare.recipe().crop, (Size{14, 14}));
  EXPECT_EQ(prepare.recipe().layout, ImageLayout::nchw);
  const Tensor tensor = prepare(image);
  EXPECT_EQ(tensor.shape(), (Shape{1, 3, 14, 14}));
  // 61 * 16 / 40 = 24.4: the crop starts at (24 - 14) / 2, (16 - 14) / 2.
  const Image expected = resize(image, {24, 16}, {5, 1, {14, 14}});
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < 14 * 14; ++i)
      ASSERT_EQ(tensor.data<float>()[c * 196 + i], expected.pixels[i * 3 + c]);
}

TEST(Preprocess, TakesEitherLayoutAndBothOrders) {
  PreprocessRecipe recipe;
  recipe.resize = parse_resize("none");
  const Image image = pattern(3, 2);
  const std::vector<std::uint8_t>& p = image.pixels;
  const Tensor rgb = Preprocessor(recipe, input({1, 2, 3, 3}))(image);
  EXPECT_EQ(rgb.shape(), (Shape{1, 2, 3, 3}));
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_EQ(rgb.data<float>()[i], p[i]);
  recipe.channels = Channels::bgr;
  const Tensor bgr = Preprocessor(recipe, input({3, 2, 3}))(image);  // no batch axis
  EXPECT_EQ(bgr.shape(), (Shape{3, 2, 3}));
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(bgr.data<float>()[c * 6 + i], p[i * 3 + 2 - c]);
  recipe.channels = Channels::gray;
  EXPECT_EQ(Preprocessor(recipe, input({1, 1, 2, 3}))(image).data<float>()[0],
            to_gray(image).pixels[0]);
}

TEST(Preprocess, TellsTheLayoutFromWhatIsKnown) {
  const auto layout = [](std::vector<std::int64_t> lengths) {
    PreprocessRecipe recipe;
    recipe.resize = parse_resize("none");
    return Preprocessor(recipe, input(std::move(lengths))).recipe().layout;
  };
  EXPECT_EQ(layout({1, 3, 3, 3}), ImageLayout::nchw);
  EXPECT_EQ(layout({1, -1, -1, 3}), ImageLayout::nhwc);
  EXPECT_EQ(layout({-1, 3, -1, -1}), ImageLayout::nchw);
  EXPECT_EQ(layout({1, -1, 224, 224}), ImageLayout::nchw);
  EXPECT_EQ(layout({1, 224, 224, -1}), ImageLayout::nhwc);
  EXPECT_EQ(error_of([&] { layout({-1, -1, -1, -1}); }).code(), Code::data);
  EXPECT_EQ(error_of([&] { layout({1, 16, 10, 10}); }).code(), Code::data);
}

TEST(Preprocess, LetterboxesAtTheTopLeft) {
  PreprocessRecipe recipe;
  recipe.letterbox = true;
  const Tensor wide = Preprocessor(recipe, input({1, 3, 4, 4}))(flat(8, 4, 200, 200, 200));
  const Tensor tall = Preprocessor(recipe, input({1, 3, 4, 4}))(flat(3, 6, 200, 200, 200));
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x) {
      EXPECT_EQ(wide.data<float>()[y * 4 + x], y < 2 ? 200 : 114);
      EXPECT_EQ(tall.data<float>()[y * 4 + x], x < 2 ? 200 : 114);
    }
}

TEST(Preprocess, LetterboxesInTheMiddle) {
  PreprocessRecipe recipe;
  recipe.letterbox = recipe.centred = true;
  const Tensor wide = Preprocessor(recipe, input({1, 3, 4, 4}))(flat(8, 4, 200, 200, 200));
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x)
      EXPECT_EQ(wide.data<float>()[y * 4 + x], y == 1 || y == 2 ? 200 : 114);
}

TEST(Preprocess, LinesOfTextKeepTheirAspect) {
  PreprocessRecipe recipe = load_recipe("text-line");
  const Preprocessor wide(recipe, input({-1, 3, 48, -1}));
  EXPECT_EQ(wide(pattern(700, 30)).shape(), (Shape{1, 3, 48, 1120}));
  const Preprocessor fixed(recipe, input({1, 3, 48, 320}));
  EXPECT_EQ(fixed(pattern(700, 30)).shape(), (Shape{1, 3, 48, 320}));
  EXPECT_EQ(fixed.resized({700, 30}), (Size{320, 48})) << "squeezed";
  EXPECT_EQ(fixed.resized({60, 30}), (Size{96, 48})) << "padded";
  const Tensor padded = fixed(flat(60, 30, 255, 255, 255));
  EXPECT_EQ(padded.data<float>()[95], 1);
  EXPECT_NEAR(padded.data<float>()[96], 0, 0.01);
  EXPECT_EQ(error_of([&] { Preprocessor(recipe, input({1, 3, 32, 320})); }).code(), Code::config);
}

TEST(Preprocess, CoversACropThatIsNotSquare) {
  const Preprocessor prepare({}, input({1, 3, 7, 28}));
  EXPECT_EQ(prepare(pattern(10, 30)).shape(), (Shape{1, 3, 7, 28}));
  EXPECT_EQ(prepare(pattern(300, 10)).shape(), (Shape{1, 3, 7, 28}));
}

TEST(Preprocess, FeedsWholeImagesToDynamicInputs) {
  EXPECT_EQ(error_of([] { Preprocessor({}, input({1, 3, -1, -1})); }).code(), Code::config);
  PreprocessRecipe recipe;
  recipe.resize = parse_resize("48");
  const Preprocessor prepare(recipe, input({-1, 3, 48, -1}));
  EXPECT_EQ(prepare(pattern(200, 96)).shape(), (Shape{1, 3, 48, 100}));
  EXPECT_EQ(error_of([&] { prepare(pattern(96, 200)); }).code(), Code::data);  // 48 wide, 100 high
  recipe.resize = parse_resize("none");
  EXPECT_EQ(Preprocessor(recipe, input({1, 3, -1, -1}))(pattern(5, 9)).shape(),
            (Shape{1, 3, 9, 5}));
  recipe.crop = Size{4, 4};
  EXPECT_EQ(Preprocessor(recipe, input({1, 3, -1, -1}))(pattern(5, 9)).shape(),
            (Shape{1, 3, 4, 4}));
}

TEST(Preprocess, EnlargesSmallImages) {
  EXPECT_EQ(Preprocessor({}, input({1, 3, 224, 224}))(pattern(1, 1)).shape(),
            (Shape{1, 3, 224, 224}));
  EXPECT_EQ(error_of([] {
              Preprocessor({}, input({1, 3, 224, 224}))(pattern(1, 30000));
            }).code(),
            Code::data);
}

TEST(Preprocess, SaysWhatDoesNotFit) {
  const auto fail = [](const PreprocessRecipe& recipe, const FeedType& feed) {
    return error_of([&] { Preprocessor(recipe, feed)(pattern(30, 30)); });
  };
  EXPECT_EQ(fail({}, input({1, 10})).code(), Code::data);
  EXPECT_EQ(fail({}, FeedType("x", DType::f32, std::nullopt)).code(), Code::data);
  EXPECT_EQ(fail({}, input({8, 3, 10, 10})).code(), Code::data);
  EXPECT_STREQ(fail({}, input({1, 1, 10, 10})).what(),
               "input 'x' [1,1,10,10]: takes 1 channels, the recipe 'raw' gives 3");
  PreprocessRecipe recipe;
  recipe.crop = Size{11, 10};
  EXPECT_EQ(fail(recipe, input({1, 3, 10, 10})).code(), Code::config);
  recipe.crop.reset();
  recipe.resize = parse_resize("8");
  EXPECT_STREQ(fail(recipe, input({1, 3, 10, 10})).what(),
               "8x8 pixels after resizing, the crop is 10x10");
  recipe.letterbox = true;
  EXPECT_EQ(fail(recipe, input({1, 3, 10, 10})).code(), Code::config);
  EXPECT_EQ(fail(load_recipe("tf"), input({1, 3, 10, 10}, DType::u8)).code(), Code::config);
  PreprocessRecipe gray = load_recipe("imagenet");
  gray.channels = Channels::gray;
  EXPECT_EQ(fail(gray, input({1, 1, 10, 10})).code(), Code::config);
}

TEST(Preprocess, GivesTheTypeOfTheInput) {
  const Image image = flat(2, 2, 255, 1, 7);
  const Tensor bytes = Preprocessor({}, input({1, 3, 1, 1}, DType::u8))(image);
  EXPECT_TRUE(close(bytes, Tensor::of<std::uint8_t>({1, 3, 1, 1}, {255, 1, 7})));
  const Tensor halves = Preprocessor({}, input({1, 3, 1, 1}, DType::f16))(image);
  EXPECT_EQ(halves.dtype(), DType::f16);
  EXPECT_EQ(halves.to_vector<float>(), (std::vector<float>{255, 1, 7}));
}

}  // namespace
}  // namespace intaglio
