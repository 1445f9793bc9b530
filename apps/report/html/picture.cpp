#include "apps/report/html/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/report/html/markup.h"

namespace intaglio::html {
namespace {

constexpr std::size_t most_boxes = 300;  // of a layer: more are a carpet
constexpr double largest_fraction = 1.5;

// Whether corners are fractions of the picture.
bool in_fractions(std::span<const BoxLayer> layers) {
  bool any = false;
  for (const BoxLayer& layer : layers)
    for (const Detection& d : *layer.boxes) {
      any = true;
      for (const float v : {d.box.x1, d.box.y1, d.box.x2, d.box.y2})
        if (std::abs(v) > largest_fraction) return false;
    }
  return any;
}

std::string rectangles(const BoxLayer& layer, double x_scale, double y_scale) {
  std::string out;
  const std::size_t count = std::min(layer.boxes->size(), most_boxes);
  for (const Detection& d : std::span(*layer.boxes).first(count)) {
    const double x = std::min(d.box.x1, d.box.x2) * x_scale,
                 y = std::min(d.box.y1, d.box.y2) * y_scale,
                 w = std::abs(d.box.x2 - d.box.x1) * x_scale,
                 h = std::abs(d.box.y2 - d.box.y1) * y_scale;
    if (!std::isfinite(x + y + w + h)) continue;
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", x, y,
                       w, h);
  }
  return out.empty() ? "" : fmt::format("<g class=\"{}\">{}</g>", layer.style, out);
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string picture_svg(const Image& image, Size fed, std::span<const BoxLayer> layers,
                        std::string_view name) {
  const Size size = fed == Size{} ? Size{image.width, image.height} : fed;
  const bool fractions = in_fractions(layers);
  const double x = fractions ? size.width : 1, y = fractions ? size.height : 1;
  std::string boxes;
  for (const BoxLayer& layer : layers) boxes += rectangles(layer, x, y);
  constexpr int coarse = 96;  // pixels on a side below which they are to be seen as such
  const bool pixelated = std::max(size.width, size.height) < coarse;
  return fmt::format(
      "<svg class=\"picture{}\" style=\"--w:{}px\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\"><image "
      "href=\"data:image/jpeg;base64,{}\" width=\"{}\" height=\"{}\"/>{}</svg>",
      pixelated ? " coarse" : "", size.width, size.width, size.height, escaped(name),
      base64(to_jpeg(image)), size.width, size.height, boxes);
}

}  // namespace intaglio::html
