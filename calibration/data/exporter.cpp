#include "calibration/data/exporter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

namespace intaglio {
namespace {

constexpr double byte_scale = 1.0 / 255;

// The numbers of "[640, 640]", "(0.5, 0.5)" or "224"; empty: there is something else.
std::vector<double> numbers_in(std::string_view text) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < text.size();) {
    if (std::string_view("[](), \t\n").find(text[i]) != std::string_view::npos) {
      ++i;
      continue;
    }
    double value = 0;
    const auto [stop, error] = std::from_chars(text.data() + i, text.data() + text.size(), value);
    if (error != std::errc() || !std::isfinite(value)) return {};
    numbers.push_back(value);
    i = static_cast<std::size_t>(stop - text.data());
  }
  return numbers;
}

// Of the first of the keys that is there.
std::vector<double> numbers_of(const Metadata& metadata,
                               std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (const auto it = metadata.find(std::string(key)); it != metadata.end())
      return numbers_in(it->second);
  return {};
}

// A side, or height and width, the channels of [3, H, W] left out.
std::optional<Size> size_of(std::vector<double> numbers) {
  if (numbers.size() == 3) numbers.erase(numbers.begin());
  if (numbers.empty() || numbers.size() > 2) return std::nullopt;
  const auto side = [](double v) { return v >= 1 && v <= 32768 ? static_cast<int>(v) : 0; };
  const Size size{side(numbers.back()), side(numbers.front())};
  if (size.width == 0 || size.height == 0) return std::nullopt;
  return size;
}

std::optional<PreprocessRecipe> ultralytics(const Metadata& metadata) {
  const auto task = metadata.find("task");
  if (task == metadata.end() || !metadata.contains("stride")) return std::nullopt;
  PreprocessRecipe recipe;
  recipe.name = "ultralytics";
  recipe.scale = byte_scale;
  recipe.crop = size_of(numbers_of(metadata, {"imgsz"}));
  if (task->second != "classify")
    recipe.letterbox = recipe.centred = true;
  else if (recipe.crop)
    recipe.resize = {.mode = Resize::Mode::shorter, .shorter = recipe.crop->height};
  return recipe;
}

std::optional<PreprocessRecipe> paddle(const Metadata& metadata) {
  if (!metadata.contains("character")) return std::nullopt;
  PreprocessRecipe recipe = load_recipe("text-line");
  recipe.name = "PaddleOCR";
  return recipe;
}

std::optional<PreprocessRecipe> classifier(const Metadata& metadata) {
  PreprocessRecipe recipe;
  recipe.mean = numbers_of(metadata, {"mean", "image_mean"});
  recipe.deviation = numbers_of(metadata, {"std", "image_std"});
  for (const auto* values : {&recipe.mean, &recipe.deviation})
    if (values->size() != 1 && values->size() != 3) return std::nullopt;
  for (const double d : recipe.deviation)
    if (d == 0) return std::nullopt;
  const bool in_pixels = recipe.deviation.front() > 3;
  const auto factor = numbers_of(metadata, {"rescale_factor"});
  recipe.scale = factor.size() == 1 && factor.front() != 0 ? factor.front()
                 : in_pixels                               ? 1
                                                           : byte_scale;
  recipe.crop = size_of(numbers_of(metadata, {"crop_size", "input_size", "size"}));
  const auto resized = size_of(numbers_of(metadata, {"resize_size"}));
  const auto share = numbers_of(metadata, {"crop_pct"});
  int shorter = resized ? std::min(resized->width, resized->height) : 0;
  if (shorter == 0 && recipe.crop && share.size() == 1 && share.front() > 0.1 && share.front() <= 1)
    shorter = static_cast<int>(std::floor(recipe.crop->height / share.front()));
  if (shorter > 0) recipe.resize = {.mode = Resize::Mode::shorter, .shorter = shorter};
  recipe.name = metadata.contains("crop_pct") || metadata.contains("input_size") ? "timm"
                : metadata.contains("image_mean")                                ? "transformers"
                                                                                 : "torchvision";
  return recipe;
}

// {0: 'person', 1: "bird's nest"}, as Python prints it.
std::map<std::int64_t, std::string> dictionary(std::string_view text) {
  std::map<std::int64_t, std::string> names;
  std::size_t i = 0;
  const auto skip = [&](std::string_view characters) {
    while (i < text.size() && characters.find(text[i]) != std::string_view::npos) ++i;
  };
  for (skip("{ "); i < text.size() && text[i] != '}'; skip(", ")) {
    std::int64_t index = 0;
    skip("\"'");  // JSON quotes its keys
    const auto [stop, error] = std::from_chars(text.data() + i, text.data() + text.size(), index);
    if (error != std::errc()) return {};
    i = static_cast<std::size_t>(stop - text.data());
    if (i < text.size() && (text[i] == '"' || text[i] == '\'')) ++i;
    skip(": ");
    const char quote = i < text.size() ? text[i++] : '\0';
    if (quote != '\'' && quote != '"') return {};
    std::string name;
    for (; i < text.size() && text[i] != quote; ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      name += text[i];
    }
    ++i;
    names[index] = std::move(name);
  }
  return names;
}

// Class 0 is the blank, and the one behind the last character a space.
std::map<std::int64_t, std::string> characters(const std::string& text) {
  std::map<std::int64_t, std::string> names;
  std::int64_t index = 1;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const bool windows = end > begin && text[end - 1] == '\r';
    names[index++] = text.substr(begin, end - begin - (windows ? 1 : 0));
    begin = end + 1;
  }
  names[index] = " ";
  return names;
}

}  // namespace

std::optional<PreprocessRecipe> recipe_of_exporter(const Metadata& metadata) {
  for (const auto read : {ultralytics, paddle, classifier})
    if (auto recipe = read(metadata)) return recipe;
  return std::nullopt;
}

std::map<std::int64_t, std::string> class_names_of_exporter(const Metadata& metadata) {
  if (const auto it = metadata.find("names"); it != metadata.end()) return dictionary(it->second);
  if (const auto it = metadata.find("character"); it != metadata.end())
    return characters(it->second);
  return {};
}

}  // namespace intaglio
