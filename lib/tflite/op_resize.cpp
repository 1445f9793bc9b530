// Resize: RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR. Both have three rules for which place of the
// image a pixel of the result is taken from; the one is taken that gives the places of the node,
// pixel by pixel.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/tflite/op_table.h"

namespace intaglio::tflite {
namespace {

struct Rule {  // of TFLite
  bool align_corners, half_pixel_centers;
};
constexpr std::array rules = {Rule{false, true}, Rule{false, false}, Rule{true, false}};

// One axis: lengths, and the scale that ONNX computes with.
struct Axis {
  std::int64_t from, to;
  double scale;
};

double clamped(double place, const Axis& axis) {
  return std::clamp(place, 0.0, static_cast<double>(axis.from - 1));
}

double place_of(const Rule& rule, const Axis& axis, double i) {
  const bool corners = rule.align_corners && axis.to > 1;
  const double step = corners ? static_cast<double>(axis.from - 1) / (axis.to - 1)
                              : static_cast<double>(axis.from) / axis.to;
  return rule.half_pixel_centers ? (i + 0.5) * step - 0.5 : i * step;
}

std::int64_t nearest_of(const Rule& rule, const Axis& axis, double i) {
  const double place = place_of(rule, axis, i);
  // Half pixels: the pixel that the centre lies in.
  const double rounded = rule.align_corners        ? std::round(place)
                         : rule.half_pixel_centers ? std::floor(place + 0.5)
                                                   : std::floor(place);
  return static_cast<std::int64_t>(clamped(rounded, axis));
}

// --- What the node says (ONNX, Resize)

double onnx_place(const std::string& mode, const Axis& axis, double i) {
  if (mode == "asymmetric") return i / axis.scale;
  if (mode == "align_corners")
    return axis.to == 1 ? 0 : i * static_cast<double>(axis.from - 1) / (axis.scale * axis.from - 1);
  if (mode == "pytorch_half_pixel" && axis.to == 1) return 0;
  if (mode == "half_pixel" || mode == "pytorch_half_pixel") return (i + 0.5) / axis.scale - 0.5;
  return std::nan("");
}

std::int64_t onnx_nearest(const std::string& mode, const std::string& rounding, const Axis& axis,
                          double i) {
  const double place = onnx_place(mode, axis, i);
  const double rounded = rounding == "floor"               ? std::floor(place)
                         : rounding == "ceil"              ? std::ceil(place)
                         : rounding == "round_prefer_ceil" ? std::floor(place + 0.5)
                                                           : std::ceil(place - 0.5);
  return static_cast<std::int64_t>(clamped(rounded, axis));
}

bool same_places_of(const Node& node, const Rule& rule, const Axis& axis) {
  const std::string mode = node.attr_string("coordinate_transformation_mode", "half_pixel");
  const std::string rounding = node.attr_string("nearest_mode", "round_prefer_floor");
  const bool nearest = node.attr_string("mode", "nearest") == "nearest";
  for (std::int64_t i = 0; i < axis.to; ++i) {
    const auto at = static_cast<double>(i);
    if (nearest ? nearest_of(rule, axis, at) != onnx_nearest(mode, rounding, axis, at)
                : !(std::abs(clamped(place_of(rule, axis, at), axis) -
                             clamped(onnx_place(mode, axis, at), axis)) < 1e-4))
      return false;
  }
  return true;
}

Axis axis_of(const Site& site, std::size_t i) {
  Axis axis{site.in_shape(0)[i], site.out_shape(0)[i], 0};
  axis.scale = static_cast<double>(axis.to) / static_cast<double>(axis.from);
  if (const auto scales = site.constant(2); scales && scales->size() == 4)
    axis.scale = scales->to_vector<float>()[i];
  return axis;
}

void require_image_resize(const Site& site) {
  const Node& node = site.node();
  const Shape from = site.in_shape(0), to = site.out_shape(0);
  if (from.size() != 4 || from[0] != to[0] || from[1] != to[1])
    site.refuse("it resizes other axes than height and width", "Rewrite the model.");
  const std::string mode = node.attr_string("mode", "nearest");
  if (mode == "cubic") site.refuse("TFLite has no mode cubic", "Use linear or nearest.");
  if (node.attr_int("antialias", 0) != 0)
    site.refuse("TFLite has no antialias", "Export the model without.");
}

}  // namespace

void lower_resize(Site& site) {
  require_image_resize(site);
  const auto rule = std::ranges::find_if(rules, [&](const Rule& r) {
    return same_places_of(site.node(), r, axis_of(site, 2)) &&
           same_places_of(site.node(), r, axis_of(site, 3));
  });
  if (rule == rules.end())
    site.refuse("TFLite has no rule that takes pixels from these places",
                "Use half_pixel or align_corners with linear, asymmetric and floor with nearest.");
  const Perm perm = channels_last(4);
  const Shape to = site.out_shape(0);
  const int in = site.in(0, perm), size = site.emitter().ints({to[2], to[3]});
  const int out = site.moved(0, perm);
  const auto fill = [&](auto options) {
    options.align_corners = rule->align_corners;
    options.half_pixel_centers = rule->half_pixel_centers;
    return options;
  };
  if (site.node().attr_string("mode", "nearest") == "nearest")
    site.emit(fb::Op::RESIZE_NEAREST_NEIGHBOR, {in, size}, {out},
              fill(fb::ResizeNearestNeighborOptionsT()));
  else
    site.emit(fb::Op::RESIZE_BILINEAR, {in, size}, {out}, fill(fb::ResizeBilinearOptionsT()));
}

}  // namespace intaglio::tflite
