#include "lib/tflite/padding.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace intaglio::tflite {
namespace {

bool is_same(const Window& w, std::size_t axis) {
  const std::int64_t stride = w.strides[axis], length = w.input[axis], count = w.output[axis];
  const std::int64_t total =
      std::max<std::int64_t>(0, (count - 1) * stride + w.extent(axis) - length);
  return count == (length + stride - 1) / stride && w.begin[axis] == total / 2;
}

// What a window of that many positions needs behind the image.
std::int64_t needed_behind(const Window& w, std::size_t axis) {
  const std::int64_t reach = (w.output[axis] - 1) * w.strides[axis] + w.extent(axis);
  return std::max<std::int64_t>(0, reach - w.input[axis] - w.begin[axis]);
}

bool is_valid(const Window& w, std::size_t axis) {
  return w.begin[axis] == 0 && needed_behind(w, axis) == 0 &&
         w.output[axis] == (w.input[axis] - w.extent(axis)) / w.strides[axis] + 1;
}

int lowest_of(Site& site, int image) {
  const TensorSpec& spec = site.emitter().file().spec(image);
  if (spec.params)
    return site.emitter().file().add_constant("lowest", Tensor::scalar(std::int8_t{-128}),
                                              spec.params);
  return site.emitter().file().add_constant("lowest",
                                            Tensor::scalar(std::numeric_limits<float>::lowest()));
}

}  // namespace

Image image_of(const Site& site, std::size_t input) {
  const Shape shape = site.in_shape(input);
  if (shape.size() == 4) return {{shape[2], shape[3]}, channels_last(4), false};
  if (shape.size() == 3) return {{1, shape[2]}, channels_last(3), true};
  site.refuse(fmt::format("data of rank {}", shape.size()),
              "TFLite has it for images alone: rewrite the model.");
}

int image_in(Site& site, const Image& image) {
  const int stored = site.in(0, image.perm);
  if (!image.row) return stored;
  const Shape s = site.in_shape(0);
  return site.emitter().reshape(stored, {s[0], 1, s[2], s[1]}, "_image");
}

ImageResult image_out(Site& site, const Image& image, const QParams* made) {
  const int result = made != nullptr ? site.out(0, image.perm, *made) : site.out(0, image.perm);
  if (!image.row) return {result, result};
  const Shape s = site.out_shape(0);
  return {site.emitter().like(result, {s[0], 1, s[2], s[1]}, "_image"), result};
}

void finish_image(Site& site, const ImageResult& result) {
  if (result.written == result.result) return;
  const Shape shape = site.emitter().file().spec(result.result).shape;
  fb::ReshapeOptionsT options;
  options.new_shape.assign(shape.begin(), shape.end());
  site.emit(fb::Op::RESHAPE, {result.written, site.emitter().ints(shape)}, {result.result},
            std::move(options));
}

Window window_of(const Site& site, const Image& image, const Shape& kernel) {
  WindowAttrs attrs = read_window(site.node());
  if (image.row) {  // an axis of length 1 in front
    for (Shape* list : {&attrs.kernel, &attrs.strides, &attrs.dilations})
      if (!list->empty()) list->insert(list->begin(), 1);
    if (attrs.pads.size() == 2) attrs.pads = {0, attrs.pads[0], 0, attrs.pads[1]};
  }
  return place_window(attrs, image.spatial, kernel);
}

std::optional<fb::Padding> padding_of(const Window& w) {
  if (is_valid(w, 0) && is_valid(w, 1)) return fb::Padding::VALID;
  if (is_same(w, 0) && is_same(w, 1)) return fb::Padding::SAME;
  return std::nullopt;
}

Padded padded(Site& site, int image, const Window& w, PadWith value) {
  if (const auto padding = padding_of(w)) return {image, *padding};
  return pad(site, image, w, value);
}

Padded pad(Site& site, int image, const Window& w, PadWith value) {
  if (w.begin[0] < 0 || w.begin[1] < 0)
    site.refuse("negative pads", "Export the model with a Slice in front instead.");
  const std::vector<std::int64_t> pads = {
      0, 0, w.begin[0], needed_behind(w, 0), w.begin[1], needed_behind(w, 1), 0, 0};
  Shape shape = site.emitter().file().spec(image).shape;
  for (std::size_t axis = 0; axis < 4; ++axis) shape[axis] += pads[2 * axis] + pads[2 * axis + 1];
  const TensorSpec& spec = site.emitter().file().spec(image);
  const bool zero_is_lowest = spec.params && spec.params->zero_point.front() == -128;
  const int to = site.emitter().like(image, shape, "_padded");
  const std::vector<std::int32_t> table(pads.begin(), pads.end());
  const int paddings =
      site.emitter().file().add_constant("paddings", Tensor::of<std::int32_t>({4, 2}, table));
  if (value == PadWith::zero || zero_is_lowest)
    site.emit(fb::Op::PAD, {image, paddings}, {to});
  else
    site.emit(fb::Op::PADV2, {image, paddings, lowest_of(site, image)}, {to});
  return {to, fb::Padding::VALID};
}

}  // namespace intaglio::tflite
