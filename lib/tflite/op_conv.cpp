// Conv: CONV_2D with filters [O,h,w,I], DEPTHWISE_CONV_2D with [1,h,w,O].
// ConvTranspose: TRANSPOSE_CONV with [O,h,w,I].
#include <fmt/format.h>

#include <algorithm>

#include "lib/tflite/op_table.h"
#include "lib/tflite/padding.h"
#include "lib/tflite/product.h"

namespace intaglio::tflite {
namespace {

// Filters of rows get a height of 1.
Weights filters_of(const Site& site) {
  Weights weights = weights_of(site);
  const Shape s = weights.tensor.shape();
  if (s.size() == 3) weights.tensor = weights.tensor.reshaped({s[0], s[1], 1, s[2]});
  return weights;
}

template <typename Options>
Options window_options(const Window& w, fb::Padding padding) {
  Options options;
  options.padding = padding;
  options.stride_h = static_cast<std::int32_t>(w.strides[0]);
  options.stride_w = static_cast<std::int32_t>(w.strides[1]);
  return options;
}

template <typename Options>
Options conv_options(Site& site, const Window& w, fb::Padding padding) {
  auto options = window_options<Options>(w, padding);
  options.dilation_h = static_cast<std::int32_t>(w.dilations[0]);
  options.dilation_w = static_cast<std::int32_t>(w.dilations[1]);
  options.activation = site.activation();
  return options;
}

// --- ConvTranspose

// Positions of a transposed convolution along one axis: input i adds to stride * i + k - begin.
struct Spread {
  std::int64_t length, stride, kernel, begin, result;
  // What its input spans: the result before anything is cut off or left empty.
  std::int64_t span() const { return (length - 1) * stride + kernel; }
  bool is_same() const {
    const std::int64_t total = std::max<std::int64_t>(0, span() - result);
    return length == (result + stride - 1) / stride && begin == total / 2;
  }
  bool is_valid() const { return begin == 0 && result == span(); }
};

std::vector<Spread> spreads_of(Site& site, const Image& image, const Shape& filters) {
  const Node& node = site.node();
  const WindowAttrs attrs = read_window(node);
  const Shape out = site.out_shape(0);
  const std::size_t axes = image.row ? 1 : 2;
  const Shape strides = window_list(attrs.strides, axes, 1, 1, "strides");
  std::vector<Spread> spreads;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::size_t at = 2 - axes + i;
    spreads.push_back({image.spatial[at], strides[i], filters[2 + at], 0, out[2 + i]});
    Spread& s = spreads.back();
    if (attrs.pads.size() == 2 * axes) s.begin = attrs.pads[i];
    const std::int64_t total = std::max<std::int64_t>(0, s.span() - s.result);
    if (attrs.auto_pad == "SAME_UPPER") s.begin = total / 2;
    if (attrs.auto_pad == "SAME_LOWER") s.begin = total - total / 2;
  }
  if (image.row) spreads.insert(spreads.begin(), {1, 1, 1, 0, 1});
  return spreads;
}

void require_plain_transpose(Site& site) {
  const auto dilations = site.node().attr_ints("dilations");
  if (site.node().attr_int("group", 1) != 1)
    site.refuse("TFLite has no transposed convolution of groups",
                "Rewrite it as one per group between Split and Concat.");
  if (std::ranges::any_of(dilations, [](std::int64_t d) { return d != 1; }))
    site.refuse("TFLite has no transposed convolution with dilations", "Rewrite the model.");
}

// The part [begin, begin + result) of all that the filters reach, where TFLite has no padding for
// it.
void cut(Site& site, int whole, const std::vector<Spread>& spreads, int part) {
  const Shape shape = site.emitter().file().spec(part).shape;
  Emitter& e = site.emitter();
  const std::int64_t top = spreads[0].begin, left = spreads[1].begin;
  site.emit(fb::Op::STRIDED_SLICE,
            {whole, e.ints({0, top, left, 0}),
             e.ints({shape[0], top + shape[1], left + shape[2], shape[3]}), e.ints({1, 1, 1, 1})},
            {part}, fb::StridedSliceOptionsT());
}

}  // namespace

void lower_conv(Site& site) {
  const Image image = image_of(site, 0);
  const Weights filters = filters_of(site);
  const Shape s = filters.tensor.shape();
  const Window w = window_of(site, image, {s[2], s[3]});
  const std::int64_t group = site.node().attr_int("group", 1);
  const bool depthwise = group > 1 && s[1] == 1;
  const Padded in = padded(site, image_in(site, image), w, PadWith::zero);
  const int weights = add_weights(site, filters, depthwise ? Perm{1, 2, 3, 0} : channels_last(4));
  const int bias = add_bias(site, 2, s[0], filters);
  if (depthwise) {
    auto options = conv_options<fb::DepthwiseConv2DOptionsT>(site, w, in.padding);
    options.depth_multiplier = static_cast<std::int32_t>(s[0] / group);
    const ImageResult out = image_out(site, image);
    site.emit(fb::Op::DEPTHWISE_CONV_2D, {in.tensor, weights, bias}, {out.written},
              std::move(options));
    return finish_image(site, out);
  }
  auto options = conv_options<fb::Conv2DOptionsT>(site, w, in.padding);
  const ImageResult out = image_out(site, image);
  site.emit(fb::Op::CONV_2D, {in.tensor, weights, bias}, {out.written}, std::move(options));
  finish_image(site, out);
}

void lower_conv_transpose(Site& site) {
  require_plain_transpose(site);
  const Image image = image_of(site, 0);
  const Weights filters = filters_of(site);
  const Shape s = filters.tensor.shape();  // [I,O,h,w]
  const std::vector<Spread> spreads = spreads_of(site, image, s);
  Window w;
  w.strides = {spreads[0].stride, spreads[1].stride};
  const int in = image_in(site, image);
  const int weights = add_weights(site, filters, {1, 2, 3, 0});
  const int bias = add_bias(site, 2, s[1], filters);
  const ImageResult out = image_out(site, image);
  Shape shape = site.emitter().file().spec(out.written).shape;
  const bool same = std::ranges::all_of(spreads, &Spread::is_same);
  const bool whole = std::ranges::all_of(spreads, &Spread::is_valid);
  int made = out.written;
  if (!same && !whole) {
    for (std::size_t i = 0; i < 2; ++i)
      shape[1 + i] = std::max(spreads[i].span(), spreads[i].begin + spreads[i].result);
    made = site.emitter().like(out.written, shape, "_whole");
  }
  site.emit(fb::Op::TRANSPOSE_CONV, {site.emitter().ints(shape), weights, in, bias}, {made},
            window_options<fb::TransposeConvOptionsT>(
                w, same && !whole ? fb::Padding::SAME : fb::Padding::VALID));
  if (made != out.written) cut(site, made, spreads, out.written);
  finish_image(site, out);
}

}  // namespace intaglio::tflite
