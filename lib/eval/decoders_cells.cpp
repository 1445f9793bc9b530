#include "lib/eval/decoders_cells.h"

#include <fmt/format.h>

#include <cmath>

namespace intaglio {
namespace {

constexpr std::int64_t strides[] = {8, 16, 32, 64};
constexpr std::int64_t with_objectness = 5, without = 4;  // numbers of a place before its classes

struct Cell {
  float x, y, stride;
};

std::int64_t cells_along(std::int64_t pixels, std::int64_t stride) {
  return (pixels + stride - 1) / stride;
}

std::int64_t count_cells(ImageSize image, int levels) {
  std::int64_t count = 0;
  for (int l = 0; l < levels; ++l)
    count += cells_along(image.height, strides[l]) * cells_along(image.width, strides[l]);
  return count;
}

// How many of the strides make `places`, each cell having `anchors`; 0: none do.
int levels_of(ImageSize image, std::int64_t places, std::int64_t anchors) {
  for (const int levels : {3, 4})
    if (anchors * count_cells(image, levels) == places) return levels;
  return 0;
}

// In the order in which heads are joined: by level, then by row.
std::vector<Cell> cells_of(ImageSize image, int levels) {
  std::vector<Cell> cells;
  for (int l = 0; l < levels; ++l)
    for (std::int64_t y = 0; y < cells_along(image.height, strides[l]); ++y)
      for (std::int64_t x = 0; x < cells_along(image.width, strides[l]); ++x)
        cells.push_back(
            {static_cast<float>(x), static_cast<float>(y), static_cast<float>(strides[l])});
  return cells;
}

// The first output [N, a, b] for which `fits` holds.
template <typename Fits>
std::vector<std::size_t> first_output(const Signature& signature, const Fits& fits) {
  for (std::size_t o = 0; o < signature.outputs.size(); ++o) {
    const Shape& shape = signature.outputs[o].shape;
    if (shape.size() == 3 && is_float(signature.outputs[o].dtype) && fits(shape[1], shape[2]))
      return {o};
  }
  return {};
}

Box around(float cx, float cy, float width, float height) {
  return {cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
}

// Reads number i of place p.
struct Places {
  std::int64_t count, numbers;
  const float* values;
  bool numbers_first;
  float at(std::int64_t p, std::int64_t i) const {
    return numbers_first ? values[i * count + p] : values[p * numbers + i];
  }
};

Places places_of(const Scene& scene, bool numbers_first) {
  const Array& a = scene.arrays.front();
  const auto count = a.shape[numbers_first ? 2 : 1], numbers = a.shape[numbers_first ? 1 : 2];
  return {count, numbers, a.values.data() + scene.item * count * numbers, numbers_first};
}

// Adds the best class of place p, when it is good enough.
template <typename MakeBox>
void add_best(const Places& places, std::int64_t p, std::int64_t first_class, double least,
              const MakeBox& box, Detections& found) {
  std::int64_t best = first_class;
  for (std::int64_t c = first_class + 1; c < places.numbers; ++c)
    if (places.at(p, c) > places.at(p, best)) best = c;
  const float objectness = first_class == with_objectness ? places.at(p, 4) : 1;
  const float score = objectness * places.at(p, best);
  if (score >= least) found.push_back({box(), score, best - first_class});
}

Detections decode_pixels(const Scene& scene, const Places& v, std::int64_t first_class) {
  Detections found;
  for (std::int64_t p = 0; p < v.count; ++p)
    add_best(
        v, p, first_class, scene.score,
        [&] { return around(v.at(p, 0), v.at(p, 1), v.at(p, 2), v.at(p, 3)); }, found);
  return found;
}

}  // namespace

std::vector<std::size_t> yolox_roles(const Signature& signature, bool) {
  const auto image = image_size(signature.image);
  if (!image) return {};
  return first_output(signature, [&](std::int64_t places, std::int64_t numbers) {
    return numbers > with_objectness && levels_of(*image, places, 1) > 0;
  });
}

std::vector<std::size_t> yolov5_roles(const Signature& signature, bool named) {
  const auto image = image_size(signature.image);
  return first_output(signature, [&](std::int64_t places, std::int64_t numbers) {
    return numbers > with_objectness && (named || (image && levels_of(*image, places, 3) > 0));
  });
}

std::vector<std::size_t> yolov8_roles(const Signature& signature, bool named) {
  const auto image = image_size(signature.image);
  return first_output(signature, [&](std::int64_t numbers, std::int64_t places) {
    return numbers > without && (named || (image && levels_of(*image, places, 1) > 0));
  });
}

Detections decode_yolox(const Scene& scene) {
  const Places v = places_of(scene, false);
  const int levels = levels_of(scene.image, v.count, 1);
  if (levels == 0)
    throw Error(Code::unsupported,
                fmt::format("`decoder yolox`: {} places are not the cells of an image of {}x{}",
                            v.count, scene.image.width, scene.image.height),
                "Give images of one size with `crop`.");
  const std::vector<Cell> cells = cells_of(scene.image, levels);
  Detections found;
  for (std::int64_t p = 0; p < v.count; ++p) {
    const Cell& c = cells[static_cast<std::size_t>(p)];
    add_best(
        v, p, with_objectness, scene.score,
        [&] {
          return around((v.at(p, 0) + c.x) * c.stride, (v.at(p, 1) + c.y) * c.stride,
                        std::exp(v.at(p, 2)) * c.stride, std::exp(v.at(p, 3)) * c.stride);
        },
        found);
  }
  return found;
}

Detections decode_yolov5(const Scene& scene) {
  return decode_pixels(scene, places_of(scene, false), with_objectness);
}

Detections decode_yolov8(const Scene& scene) {
  return decode_pixels(scene, places_of(scene, true), without);
}

}  // namespace intaglio
