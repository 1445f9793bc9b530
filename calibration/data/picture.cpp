#include "calibration/data/picture.h"

#include <algorithm>
#include <cmath>

#include "calibration/data/files.h"
#include "lib/base/error.h"

#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace intaglio {
namespace {

constexpr int jpeg_quality = 88;

std::uint8_t byte_of(double v) {
  return std::isfinite(v) ? static_cast<std::uint8_t>(std::lround(std::clamp(v, 0.0, 255.0))) : 0;
}

// Rows, columns and channels of a tensor of one image, wherever its channels lie.
struct Pixels {
  std::int64_t height = 0, width = 0, channels = 0;
  bool nchw = true;
  std::size_t at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    return static_cast<std::size_t>(nchw ? (c * height + y) * width + x
                                         : (y * width + x) * channels + c);
  }
};

Pixels grid_of(Shape shape, bool nchw) {
  if (shape.size() == 4) shape.erase(shape.begin());
  return nchw ? Pixels{shape[1], shape[2], shape[0], true}
              : Pixels{shape[0], shape[1], shape[2], false};
}

template <typename Value>
Image painted(const Pixels& grid, Value value) {
  Image image{static_cast<int>(grid.width),
              static_cast<int>(grid.height),
              static_cast<int>(grid.channels),
              {}};
  for (std::int64_t y = 0; y < grid.height; ++y)
    for (std::int64_t x = 0; x < grid.width; ++x)
      for (std::int64_t c = 0; c < grid.channels; ++c)
        image.pixels.push_back(byte_of(value(y, x, c)));
  return image;
}

}  // namespace

std::optional<Image> picture_file(const std::string& sample) {
  if (kind_of(sample) != DataKind::image) return std::nullopt;
  try {
    return read_image(sample);
  } catch (const Error& e) {
    if (e.code() != Code::data && e.code() != Code::io) throw;
    return std::nullopt;  // the sample was left out for it, and that is said elsewhere
  }
}

Image picture_of_feed(const Tensor& feed, const PreprocessRecipe& recipe) {
  const std::vector<float> values = feed.to_vector<float>();
  const Pixels grid = grid_of(feed.shape(), recipe.layout != ImageLayout::nhwc);
  const auto of = [](const std::vector<double>& list, std::int64_t c) {
    return list[list.size() == 1 ? 0 : static_cast<std::size_t>(c)];
  };
  return painted(grid, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
    const std::int64_t fed = recipe.channels == Channels::bgr ? grid.channels - 1 - c : c;
    return (values[grid.at(y, x, fed)] * of(recipe.deviation, fed) + of(recipe.mean, fed)) /
           recipe.scale;
  });
}

std::optional<Image> picture_of_values(const Tensor& values, double lo, double hi) {
  const Shape& shape = values.shape();
  if (shape.size() != 4 || shape[0] != 1) return std::nullopt;
  const auto is_colour = [](std::int64_t channels) { return channels == 1 || channels == 3; };
  if (!is_colour(shape[1]) && !is_colour(shape[3])) return std::nullopt;
  const Pixels grid = grid_of(shape, is_colour(shape[1]));
  const std::vector<float> list = values.to_vector<float>();
  const double step = hi > lo ? 255 / (hi - lo) : 0;
  return painted(grid, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
    return (list[grid.at(y, x, c)] - lo) * step;
  });
}

Image thumbnail(const Image& image, int longest) {
  const int most = std::max(image.width, image.height);
  if (most <= longest) return image;
  const auto side = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(double(length) * longest / most)));
  };
  const Size size{side(image.width), side(image.height)};
  return resize(image, size, {0, 0, size});
}

std::string to_jpeg(const Image& image) {
  std::string file;
  const auto append = [](void* to, void* bytes, int count) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes),
                                          static_cast<std::size_t>(count));
  };
  stbi_write_jpg_to_func(append, &file, image.width, image.height, image.channels,
                         image.pixels.data(), jpeg_quality);
  return file;
}

}  // namespace intaglio
