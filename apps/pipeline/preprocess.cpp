#include "apps/pipeline/preprocess.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "apps/pipeline/data.h"
#include "apps/pipeline/shapes.h"
#include "calibration/data/exporter.h"
#include "calibration/data/picture.h"

namespace intaglio {
namespace {

constexpr double tiny_range = 0.1;     // of an input, whatever the image
constexpr double unit_statistics = 3;  // means and deviations of pixels x/255 are far below
constexpr double least_share = 0.6;    // of a line's width or height that is no squeeze
constexpr std::size_t looked_at = 16;  // images

PreprocessRecipe from(PreprocessRecipe recipe, std::string origin) {
  recipe.origin = std::move(origin);
  return recipe;
}

// Whether --mean or --std can only be meant for pixels from 0 to 255.
bool in_pixels(const DataOptions& o) {
  for (const std::string& text : {o.mean, o.deviation})
    if (!text.empty())
      for (const double v : parse_per_channel(text))
        if (std::abs(v) > unit_statistics) return true;
  return false;
}

// Whether the graph says itself how large its images are.
bool takes_one_size(const Graph& graph) {
  for (const Value* feed : graph.feeds())
    if (feed->dims() && feed->dims()->size() == 4)
      return std::all_of(feed->dims()->begin() + 1, feed->dims()->end(),
                         [](const Dim& dim) { return dim.known(); });
  return false;
}

// What the model's metadata ask for: ours, or an exporter's.
std::optional<PreprocessRecipe> stated_recipe(const Model& model) {
  const auto metadata = model.metadata();
  if (const auto it = metadata.find(preprocess_key); it != metadata.end())
    return recipe_from_json(parse_json_if_any(it->second),
                            fmt::format("metadata '{}' of the model", preprocess_key));
  auto recipe = recipe_of_exporter(metadata);
  if (recipe && takes_one_size(model.graph())) recipe->crop.reset();
  return recipe;
}

PreprocessRecipe base_recipe(const DataOptions& options, const Model& model,
                             std::vector<std::string>& warnings, const Json& settled) {
  if (!options.preprocess.empty()) return from(load_recipe(options.preprocess), "--preprocess");
  if (!settled.is_null())
    return from(recipe_from_json(settled, "the recipe of the statistics"), "statistics");
  if (auto recipe = stated_recipe(model)) return from(std::move(*recipe), "metadata of the model");
  if (in_pixels(options)) return from(load_recipe("raw"), "for pixels from 0 to 255");
  warnings.push_back(fmt::format(
      "no --preprocess given: images are taken as 'imagenet' (RGB, x/255{})",
      options.mean.empty() && options.deviation.empty() ? ", mean and std of ImageNet" : ""));
  return from(load_recipe("imagenet"), "default");
}

// Applies the options of single parts, and says which in the origin.
void override_parts(PreprocessRecipe& recipe, const DataOptions& o) {
  std::vector<std::string> flags;
  const auto given = [&](bool is_given, const char* flag) {
    if (is_given) flags.emplace_back(flag);
    return is_given;
  };
  if (given(!o.resize.empty(), "--resize")) recipe.resize = parse_resize(o.resize);
  if (given(!o.crop.empty(), "--crop")) recipe.crop = parse_crop(o.crop);
  if (given(o.letterbox, "--letterbox")) recipe.letterbox = true;
  if (given(!o.mean.empty(), "--mean")) recipe.mean = parse_per_channel(o.mean);
  if (given(!o.deviation.empty(), "--std")) recipe.deviation = parse_per_channel(o.deviation);
  if (given(!o.channels.empty(), "--channels")) recipe.channels = parse_channels(o.channels);
  if (given(!o.layout.empty(), "--layout")) recipe.layout = parse_layout(o.layout);
  if (!flags.empty()) recipe.origin += fmt::format(", with {}", fmt::join(flags, ", "));
}

// What the metadata ask for against what is taken.
void warn_of_metadata(const PreprocessRecipe& recipe, const Model& model,
                      std::vector<std::string>& warnings) {
  std::optional<PreprocessRecipe> stated;
  try {
    stated = stated_recipe(model);
  } catch (const Error&) {
    return;  // what cannot be read was not asked for either
  }
  if (!stated) return;
  const InputRange a = input_range(*stated), b = input_range(recipe);
  const double slack = 0.05 * (a.hi - a.lo);
  const bool same_range = std::abs(a.lo - b.lo) <= slack && std::abs(a.hi - b.hi) <= slack;
  if (same_range && stated->channels == recipe.channels) return;
  warnings.push_back(fmt::format(
      "the model's metadata ({}) ask for {} from {:.3g} to {:.3g}, the input is {} from "
      "{:.3g} to {:.3g}: leave --preprocess and its parts out to take theirs",
      stated->name, word_of(stated->channels), a.lo, a.hi, word_of(recipe.channels), b.lo, b.hi));
}

void warn_of_tiny_range(const PreprocessRecipe& recipe, std::vector<std::string>& warnings) {
  const InputRange range = input_range(recipe);
  if (range.hi - range.lo >= tiny_range) return;
  warnings.push_back(fmt::format(
      "the input lies between {:.4g} and {:.4g} whatever the image: mean and std are applied after "
      "x*{:.4g}; with those of pixels from 0 to 255, start from --preprocess raw",
      range.lo, range.hi, recipe.scale));
}

// The input that takes images, when it is as wide as lines of text are.
const Value* line_input(const PreprocessRecipe& recipe, const Graph& graph) {
  constexpr std::int64_t highest = 64, least_aspect = 3;
  for (const Value* feed : graph.feeds()) {
    if (!feed->dims() || feed->dims()->size() != 4) continue;
    const std::size_t h = recipe.layout == ImageLayout::nhwc ? 1 : 2;
    const Dim &height = (*feed->dims())[h], &width = (*feed->dims())[h + 1];
    if (height.known() && height.value <= highest &&
        (!width.known() || width.value >= least_aspect * height.value))
      return feed;
  }
  return nullptr;
}

// How much smaller one side is than the other one asks for, or than the line may be high; 1: not.
double squeeze_of(Size image, Size fed, const PreprocessRecipe& recipe) {
  const double x = double(fed.width) / image.width, y = double(fed.height) / image.height;
  if (recipe.letterbox) return double(fed.height) / recipe.crop->height;
  return std::min(x / y, y / x);
}

void warn_of_squeezed_lines(const SampleSet& set, const PreprocessRecipe& recipe,
                            const Graph& graph, std::vector<std::string>& warnings) {
  const Value* feed = line_input(recipe, graph);
  if (feed == nullptr) return;
  const Preprocessor preprocessor(recipe, FeedType(*feed));
  const Samples samples = spread(set.samples(), looked_at);
  std::size_t squeezed = 0, looked = 0;
  double worst = least_share;
  std::string example;
  for (std::size_t i = 0; i < samples.count; ++i) {
    const auto image = picture_file(samples.name(i));
    if (!image) continue;
    const Size from{image->width, image->height}, to = preprocessor.resized(from);
    const double share = squeeze_of(from, to, recipe);
    ++looked, squeezed += share < least_share;
    if (share >= worst) continue;
    worst = share;
    example = fmt::format("{} of {}x{} is fed as {}x{}", samples.name(i), from.width, from.height,
                          to.width, to.height);
  }
  if (squeezed > 0)
    warnings.push_back(fmt::format(
        "lines of text are squeezed, {} of {}: {}; give --preprocess text-line, and a model whose "
        "width is free or large enough",
        squeezed, looked, example));
}

}  // namespace

PreprocessRecipe make_recipe(const DataOptions& options, const Model& model,
                             std::vector<std::string>& warnings, const Json& settled) {
  std::vector<std::string> assumed;
  PreprocessRecipe recipe = base_recipe(options, model, assumed, settled);
  override_parts(recipe, options);
  if (!recipe.crop) recipe.crop = image_size(options.shapes, model.graph());
  if (settled.is_null()) warn_of_metadata(recipe, model, assumed);
  if (reads_images(options.data, model.graph().feeds(), !options.text.tokenizer.empty()))
    warnings.insert(warnings.end(), assumed.begin(), assumed.end());
  return recipe;
}

std::string describe_tokens(const Json& tokens, std::size_t samples) {
  if (tokens.is_null()) return {};
  std::string text;
  if (tokens.contains("texts")) {
    const bool lines = tokens["by_line"].get<bool>();
    text =
        fmt::format("{} ({}, {} tokens), {} {} of {}{} tokens",
                    tokens["tokenizer"].get<std::string>(), tokens["kind"].get<std::string>(),
                    tokens["vocabulary"].get<std::size_t>(), samples, lines ? "lines" : "sequences",
                    lines ? "up to " : "", tokens["sequence_length"].get<std::size_t>());
    if (const auto left = tokens["left_over"].get<std::size_t>(); left > 0)
      text += fmt::format(", {} left over at the end{}", left,
                          tokens["texts"].get<std::size_t>() > 1 ? "s" : "");
  }
  const auto made = tokens["made"].get<std::string>();
  if (!made.empty()) text += (text.empty() ? "" : "; ") + ("made by rule: " + made);
  return text;
}

void tell_preprocess(const SampleSet& set, const Graph& graph, Context& context,
                     std::vector<std::string>& warnings) {
  if (const std::string tokens = describe_tokens(set.tokens(), set.samples().count);
      !tokens.empty())
    context.tell("preprocess: " + tokens);
  const auto recipe = set.recipe();
  if (!recipe || !context.tell("preprocess: " + describe(*recipe))) return;
  warn_of_tiny_range(*recipe, warnings);
  warn_of_squeezed_lines(set, *recipe, graph, warnings);
}

}  // namespace intaglio
