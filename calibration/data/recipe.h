// How an image becomes the feed of a model: a recipe, as one reads and writes it.
//
//   decode -> grey (channels GRAY) -> resize -> centre crop
//          -> y = (pixel * scale - mean) / std -> layout
//
// A recipe file is a JSON object with these keys, all optional:
//   "name"       text, default: the file's name
//   "channels"   "RGB" (default), "BGR", "GRAY": the order in which the model takes them
//   "scale"      number that multiplies a pixel 0..255, default 1
//   "mean"       [a] or [a, b, c] in the order of channels, after scale, default [0]
//   "std"        the same, default [1]
//   "resize"     "auto" (default), "none", N (the shorter side), "WxH" (both, whatever the
//                aspect) or "xH": to the height H, as wide as the aspect asks for, for lines of text
//   "crop"       "auto" (default: the model's input), N or "WxH", taken from the centre
//   "letterbox"  true: scaled to fit into the crop, at its top left corner, the rest filled with
//                "pad"; default false
//   "centred"    true: the letterbox puts the image into the middle; default false
//   "pad"        0..255, default 114
//   "layout"     "auto" (default), "NCHW", "NHWC"
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/data/resize.h"
#include "lib/base/json.h"
#include "lib/base/words.h"

namespace intaglio {

enum class Channels { rgb, bgr, gray };
constexpr std::array<Word<Channels>, 3> words(Channels) {
  return {{{"RGB", Channels::rgb}, {"BGR", Channels::bgr}, {"GRAY", Channels::gray}}};
}

enum class ImageLayout { automatic, nchw, nhwc };
constexpr std::array<Word<ImageLayout>, 3> words(ImageLayout) {
  return {
      {{"auto", ImageLayout::automatic}, {"NCHW", ImageLayout::nchw}, {"NHWC", ImageLayout::nhwc}}};
}

// What stands for sizes that follow from the model's input, and for images as they are.
inline constexpr std::string_view automatic_size = "auto", no_size = "none";

struct Resize {
  // automatic: so that both sides are at least crop * 256 / 224 (rounded half away from zero) and
  // one of them is equal to it; for a square crop that is the shorter side. Without a crop: none.
  // height: where the crop has a width, wider images are squeezed into it, and narrower ones padded
  // at their right.
  enum class Mode { automatic, none, shorter, exact, height };
  Mode mode = Mode::automatic;
  int shorter = 0;  // the shorter side; the other one is rounded half to even, as Python does
  Size exact = {};
  int height = 0;
};

struct PreprocessRecipe {
  std::string name = "raw";
  Channels channels = Channels::rgb;
  double scale = 1;
  std::vector<double> mean = {0}, deviation = {1};
  Resize resize;
  std::optional<Size> crop;  // nullopt: the model's input
  bool letterbox = false, centred = false;
  int pad = 114;
  ImageLayout layout = ImageLayout::automatic;
  // Where it was taken from, for people: "default", "metadata of the model". Not part of the JSON.
  std::string origin = {};

  // All keys above; reading them back gives the same recipe.
  Json to_json() const;
};

// What pixels from 0 to 255 become, over all channels.
struct InputRange {
  double lo = 0, hi = 0;
};
InputRange input_range(const PreprocessRecipe& recipe);

// One line: "imagenet (default): RGB, resize 256, crop 224, x/255, mean 0.485 0.456 0.406, std 0.229
// 0.224 0.225; input -2.12..2.64".
std::string describe(const PreprocessRecipe& recipe);

// Throws Code::config, with the origin and the place, for an unknown key or a wrong value.
PreprocessRecipe recipe_from_json(const Json& json, const std::string& origin);

// A preset of configs/preprocess/ by name, or a recipe file (lib/base/configs.h).
PreprocessRecipe load_recipe(std::string_view name_or_file);

// The texts of command-line options and of JSON strings. All throw Code::usage with what was
// expected.
Resize parse_resize(std::string_view text);             // "auto", "none", "256", "320x240", "x48"
std::optional<Size> parse_crop(std::string_view text);  // "auto", "224", "320x240"
Channels parse_channels(std::string_view text);         // "RGB", "BGR", "GRAY"
ImageLayout parse_layout(std::string_view text);        // "auto", "NCHW", "NHWC"
std::vector<double> parse_per_channel(std::string_view text);  // "0.5" or "104,117,123"

}  // namespace intaglio
