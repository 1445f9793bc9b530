#include "calibration/data/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "lib/base/configs.h"

namespace intaglio {
namespace {

Error unexpected(std::string_view text, std::string_view expected) {
  return Error(Code::usage, fmt::format("'{}': expected {}", text, expected));
}

// A side of an image, or 0.
int parse_side(std::string_view text) {
  int side = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, side);
  return error == std::errc() && stop == end && side > 0 && side <= 32768 ? side : 0;
}

Size parse_sides(std::string_view text, std::string_view expected) {
  const auto x = text.find('x');
  const Size size{parse_side(text.substr(0, x)),
                  parse_side(x == std::string_view::npos ? text : text.substr(x + 1))};
  if (size.width == 0 || size.height == 0) throw unexpected(text, expected);
  return size;
}

std::string text_of(const Size& size) { return fmt::format("{}x{}", size.width, size.height); }

Json json_of(const Resize& resize) {
  switch (resize.mode) {
    case Resize::Mode::automatic:
      return automatic_size;
    case Resize::Mode::none:
      return no_size;
    case Resize::Mode::shorter:
      return resize.shorter;
    case Resize::Mode::exact:
      return text_of(resize.exact);
    case Resize::Mode::height:
      return fmt::format("x{}", resize.height);
  }
  return nullptr;
}

// Reads a key through one of the parsers for texts; a number stands for its digits.
template <typename Parse>
auto parsed(JsonObject& object, std::string_view key, std::string_view fallback, Parse parse) {
  std::string text(fallback);
  if (object.has(key)) {
    const Json& value = object.at(key);
    if (!value.is_string() && !value.is_number_integer())
      object.fail(key, "expected text or a number");
    text = value.is_string() ? value.get<std::string>() : value.dump();
  }
  try {
    return parse(text);
  } catch (const Error& e) {
    object.fail(key, e.what());
  }
}

// --- For people ---

std::string numbers(const std::vector<double>& values) {
  return fmt::format("{:g}", fmt::join(values, " "));
}

std::string short_text(const Size& size) {
  return size.width == size.height ? std::to_string(size.width) : text_of(size);
}

std::string geometry_of(const PreprocessRecipe& r) {
  const std::string crop = r.crop ? short_text(*r.crop) : "the input's size";
  if (r.letterbox)
    return fmt::format("letterbox {}{}, pad {}", crop, r.centred ? " centred" : "", r.pad);
  std::string text;
  switch (r.resize.mode) {
    case Resize::Mode::automatic:
      text = "resize to cover 256/224 of it";
      break;
    case Resize::Mode::none:
      text = "not resized";
      break;
    case Resize::Mode::shorter:
      text = fmt::format("resize {}", r.resize.shorter);
      break;
    case Resize::Mode::exact:
      text = "resize " + text_of(r.resize.exact);
      break;
    case Resize::Mode::height:
      return fmt::format(
          "height {}, {}", r.resize.height,
          r.crop ? fmt::format("at most {} wide, pad {}", r.crop->width, r.pad) : "width free");
  }
  return r.crop ? fmt::format("{}, crop {}", text, crop) : text;
}

std::string arithmetic_of(const PreprocessRecipe& r) {
  const auto is = [](const std::vector<double>& values, double what) {
    return std::all_of(values.begin(), values.end(), [&](double v) { return v == what; });
  };
  std::string text;
  if (std::abs(r.scale * 255 - 1) < 1e-9)
    text += ", x/255";
  else if (r.scale != 1)
    text += fmt::format(", x*{:g}", r.scale);
  if (!is(r.mean, 0)) text += ", mean " + numbers(r.mean);
  if (!is(r.deviation, 1)) text += ", std " + numbers(r.deviation);
  return text;
}

std::vector<double> per_channel(JsonObject& object, std::string_view key, double fallback) {
  auto values = object.get<std::vector<double>>(key, {fallback});
  if (values.size() != 1 && values.size() != 3) object.fail(key, "expected one number or three");
  for (const double v : values)
    if (!std::isfinite(v) || (key == "std" && v == 0))
      object.fail(key, "expected numbers not zero");
  return values;
}

}  // namespace

Json PreprocessRecipe::to_json() const {
  Json json;
  json["name"] = name;
  json["channels"] = word_of(channels);
  json["scale"] = scale;
  json["mean"] = mean;
  json["std"] = deviation;
  json["resize"] = json_of(resize);
  json["crop"] = crop ? Json(text_of(*crop)) : Json(automatic_size);
  json["letterbox"] = letterbox;
  if (centred) json["centred"] = true;
  json["pad"] = pad;
  json["layout"] = word_of(layout);
  return json;
}

PreprocessRecipe recipe_from_json(const Json& json, const std::string& origin) {
  JsonObject object(json, origin);
  PreprocessRecipe recipe;
  recipe.name = object.get<std::string>("name", std::filesystem::path(origin).stem().string());
  recipe.channels = parsed(object, "channels", word_of(Channels::rgb), parse_channels);
  recipe.scale = object.get<double>("scale", 1.0);
  if (!std::isfinite(recipe.scale) || recipe.scale == 0)
    object.fail("scale", "expected a number not zero");
  recipe.mean = per_channel(object, "mean", 0);
  recipe.deviation = per_channel(object, "std", 1);
  recipe.resize = parsed(object, "resize", automatic_size, parse_resize);
  recipe.crop = parsed(object, "crop", automatic_size, parse_crop);
  recipe.letterbox = object.get<bool>("letterbox", false);
  recipe.centred = object.get<bool>("centred", false);
  recipe.pad = object.get<int>("pad", recipe.pad);
  if (recipe.pad < 0 || recipe.pad > 255) object.fail("pad", "expected 0..255");
  recipe.layout = parsed(object, "layout", word_of(ImageLayout::automatic), parse_layout);
  object.done();
  return recipe;
}

InputRange input_range(const PreprocessRecipe& r) {
  InputRange range{std::numeric_limits<double>::infinity(),
                   -std::numeric_limits<double>::infinity()};
  for (std::size_t c = 0; c < std::max(r.mean.size(), r.deviation.size()); ++c)
    for (const double pixel : {0.0, 255.0}) {
      const double v = (pixel * r.scale - r.mean[r.mean.size() == 1 ? 0 : c]) /
                       r.deviation[r.deviation.size() == 1 ? 0 : c];
      range = {std::min(range.lo, v), std::max(range.hi, v)};
    }
  return range;
}

std::string describe(const PreprocessRecipe& r) {
  const InputRange range = input_range(r);
  return fmt::format("{}{}: {}, {}{}; input {:.3g}..{:.3g}", r.name,
                     r.origin.empty() ? "" : fmt::format(" ({})", r.origin), word_of(r.channels),
                     geometry_of(r), arithmetic_of(r), range.lo, range.hi);
}

PreprocessRecipe load_recipe(std::string_view name_or_file) {
  const auto path = find_config(ConfigKind::preprocess, name_or_file);
  return recipe_from_json(read_json_file(path), path.string());
}

Resize parse_resize(std::string_view text) {
  if (text == automatic_size) return {};
  if (text == no_size) return {.mode = Resize::Mode::none};
  constexpr const char* expected = "auto, none, N (the shorter side), WxH or xH";
  if (text.starts_with('x')) {
    const int height = parse_side(text.substr(1));
    if (height == 0) throw unexpected(text, expected);
    return {.mode = Resize::Mode::height, .height = height};
  }
  const Size size = parse_sides(text, expected);
  if (text.find('x') != std::string_view::npos) return {.mode = Resize::Mode::exact, .exact = size};
  return {.mode = Resize::Mode::shorter, .shorter = size.width};
}

std::optional<Size> parse_crop(std::string_view text) {
  if (text == automatic_size) return std::nullopt;
  return parse_sides(text, "auto, N or WxH");
}

Channels parse_channels(std::string_view text) {
  if (const auto channels = value_of<Channels>(text)) return *channels;
  throw unexpected(text, "RGB, BGR or GRAY");
}

ImageLayout parse_layout(std::string_view text) {
  if (const auto layout = value_of<ImageLayout>(text)) return *layout;
  throw unexpected(text, "auto, NCHW or NHWC");
}

std::vector<double> parse_per_channel(std::string_view text) {
  constexpr std::string_view expected = "one number, or three separated by commas";
  std::vector<double> values;
  const char *at = text.data(), *end = at + text.size();
  for (;;) {
    double value = 0;
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc() || !std::isfinite(value)) throw unexpected(text, expected);
    values.push_back(value);
    if (stop == end) break;
    if (*stop != ',') throw unexpected(text, expected);
    at = stop + 1;
  }
  if (values.size() != 1 && values.size() != 3) throw unexpected(text, expected);
  return values;
}

}  // namespace intaglio
