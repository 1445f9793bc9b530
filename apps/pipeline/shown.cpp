#include "apps/pipeline/shown.h"

#include <algorithm>
#include <cmath>

#include "calibration/data/exporter.h"
#include "lib/base/file.h"

namespace intaglio {
namespace {

constexpr int longest_side = 320, longest_line = 1000;
constexpr int line_aspect = 3;            // width by height from which a picture is a line of text
constexpr std::size_t first_values = 8;   // of an output
constexpr std::int64_t least_output = 8;  // pixels on a side of an output that is a picture

Image small(const Image& image) {
  return thumbnail(image, image.width > line_aspect * image.height ? longest_line : longest_side);
}

// Black, red, yellow, white.
std::array<std::uint8_t, 3> heat_colour(double v) {
  const auto channel = [&](double from) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(3 * v - from, 0.0, 1.0)));
  };
  return {channel(0), channel(1), channel(2)};
}

Image coloured(const Image& grey) {
  Image image{grey.width, grey.height, 3, {}};
  const auto step = static_cast<std::size_t>(grey.channels);
  for (std::size_t i = 0; i < grey.pixels.size(); i += step) {
    const auto most = *std::max_element(&grey.pixels[i], &grey.pixels[i] + step);
    for (const std::uint8_t c : heat_colour(most / 255.0)) image.pixels.push_back(c);
  }
  return image;
}

void see(ShownSample& shown, const std::vector<Tensor>& feeds, const ShowHow& how) {
  for (const Tensor& feed : feeds) {
    const auto size = image_size(feed.shape());
    if (!size || feed.shape()[0] != 1) continue;
    std::optional<Image> image;
    if (how.recipe) {
      image = picture_of_feed(feed, *how.recipe);
    } else {
      Extrema range;
      range.add(feed.to_vector<float>());
      image = picture_of_values(feed, range.lo, range.hi);
    }
    if (!image) continue;
    shown.fed = {image->width, image->height};
    shown.seen = small(*image);
    return;
  }
}

Tensor first_output(const Executor& model, const std::vector<Tensor>& feeds) {
  return to_row_major(model.run(fitted_feeds(model, feeds)).front());
}

// Both images between the reference's extremes, and their difference up to its largest.
void compare_images(ShownSample& shown, const Tensor& expected, const Tensor& made) {
  if (expected.shape() != made.shape()) return;
  const auto size = image_size(expected.shape());
  if (!size || size->height < least_output || size->width < least_output) return;
  Extrema range;
  const std::vector<float> x = expected.to_vector<float>(), y = made.to_vector<float>();
  range.add(x);
  Tensor difference(DType::f32, expected.shape());
  const auto out = difference.mutate<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = std::abs(x[i] - y[i]);
    if (std::isfinite(out[i])) shown.most = std::max<double>(shown.most, out[i]);
  }
  const auto a = picture_of_values(expected, range.lo, range.hi),
             b = picture_of_values(made, range.lo, range.hi),
             d = picture_of_values(difference, 0, shown.most);
  if (!a || !b || !d) return;
  shown.expected = small(*a), shown.made = small(*b), shown.heat = small(coloured(*d));
}

void look_at_outputs(ShownSample& shown, const std::vector<Tensor>& feeds, const ShowHow& how) {
  const Tensor made = first_output(*how.model, feeds);
  shown.values = made.to_vector<float>();
  shown.values.resize(std::min(shown.values.size(), first_values));
  if (how.reference == nullptr) return compare_images(shown, made, made);
  compare_images(shown, first_output(*how.reference, feeds), made);
}

// One character a line. The first class is the blank, the one behind the last a space.
Names characters_in(const std::string& path) {
  return class_names_of_exporter({{"character", read_file(path)}});
}

}  // namespace

Names names_for(const DataOptions& options, const std::map<std::string, std::string>& metadata) {
  if (!options.characters.empty()) return characters_in(options.characters);
  if (options.classes.empty()) return class_names_of_exporter(metadata);
  Names names;
  for (const auto& [index, name] : read_classes(options.classes)) names[index] = name.name;
  return names;
}

Shown show(const Evaluation& e, std::span<const std::size_t> which, const Samples& samples,
           const ShowHow& how) {
  Shown shown{{}, how.names, e.plan, how.reference != nullptr};
  for (const std::size_t number : which) {
    const SampleAnswer& answer = e.answers[number];
    const auto feeds = samples.load(answer.sample);
    if (!feeds) continue;
    ShownSample& sample = shown.samples.emplace_back();
    sample.answer = answer;
    if (how.originals)
      if (const auto file = picture_file(answer.name)) sample.original = small(*file);
    see(sample, *feeds, how);
    look_at_outputs(sample, *feeds, how);
  }
  return shown;
}

Shown show_worst(const Evaluation& e, const Samples& samples, const ShowHow& how) {
  std::vector<std::size_t> order = worst_first(e.answers);
  order.resize(std::min(order.size(), most_shown));
  return show(e, order, samples, how);
}

}  // namespace intaglio
