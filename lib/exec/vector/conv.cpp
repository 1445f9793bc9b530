// Conv of one group as a product on channels-last images: a row for each window. Windows are read
// where they lie; images are copied once if they need zeros around them.
#include <fmt/format.h>

#include "lib/exec/convolution.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/depthwise.h"
#include "lib/exec/vector/product.h"

namespace intaglio {
namespace {

// [M, C, kernel...] with the channels last: a matrix of (kernel..., C) columns and M rows.
Tensor channels_last(const Tensor& filters) { return as_stored(to_channels_last(filters)); }

Product make_product(const Node& node, std::span<const float> bias, const PostOps& ops) {
  const Tensor filters = channels_last(node.input(1)->constant());
  const std::int64_t depth = product(filters.shape(), 1, filters.shape().size());
  return Product({filters.data<float>().data(), depth, filters.dim(0), 1, depth}, bias, ops);
}

std::span<const float> bias_of(const Node& node) {
  return node.input(2) != nullptr ? node.input(2)->constant().data<float>()
                                  : std::span<const float>{};
}

bool is_pointwise(const WindowAttrs& attrs, const Shape& filters) {
  const auto all = [](const Shape& list, std::int64_t v) {
    return std::ranges::all_of(list, [v](std::int64_t x) { return x == v; });
  };
  return std::ranges::all_of(filters.begin() + 2, filters.end(), [](auto k) { return k == 1; }) &&
         all(attrs.strides, 1) && all(attrs.pads, 0);
}

// The part of images that windows cover, channels last, with zeros where there is none: [N, H, W,
// C].
Tensor padded_images(const Tensor& x, const Window& w) {
  const std::int64_t channels = x.dim(1);
  const std::int64_t height = (w.output[0] - 1) * w.strides[0] + w.extent(0);
  const std::int64_t width = (w.output[1] - 1) * w.strides[1] + w.extent(1);
  const Tensor images = as_stored(to_channels_last(x));
  if (w.begin == Shape{0, 0} && height <= w.input[0] && width == w.input[1] && x.dim(0) == 1)
    return images;
  Tensor padded(DType::f32, {x.dim(0), height, width, channels});
  const std::int64_t left = std::clamp<std::int64_t>(w.begin[1], 0, width);
  const std::int64_t skipped = std::max<std::int64_t>(-w.begin[1], 0);
  const std::int64_t copied = std::clamp<std::int64_t>(w.input[1] - skipped, 0, width - left);
  float* to = padded.mutate<float>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n)
    for (std::int64_t y = 0; y < height; ++y) {
      const std::int64_t from = y - w.begin[0];
      const std::int64_t inside = from >= 0 && from < w.input[0] ? copied : 0;
      to = std::fill_n(to, left * channels, 0.0f);
      if (inside > 0)
        to = std::copy_n(images.data<float>().data() +
                             ((n * w.input[0] + from) * w.input[1] + skipped) * channels,
                         inside * channels, to);
      to = std::fill_n(to, (width - left - inside) * channels, 0.0f);
    }
  return padded;
}

class ProductConv final : public Kernel {
 public:
  ProductConv(const Node& node, const PostOps& ops)
      : attrs_(read_window(node)),
        geometry_(node.input(1)->constant().shape(), 1),
        pointwise_(is_pointwise(attrs_, geometry_.filter_shape())),
        product_(make_product(node, bias_of(node), ops)),
        reference_(node, ops) {}

  bool takes_any_layout() const override { return true; }
  std::string detail() const override { return pointwise_ ? "pixels" : "windows"; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32) return reference_.run(context);
    const Window window = geometry_.place(attrs_, x.shape());
    Shape shape{x.dim(0), geometry_.outputs()};
    shape.insert(shape.end(), window.output.begin(), window.output.end());
    std::vector<Tensor> addends;
    for (const PostOp& op : product_.ops())
      if (op.kind == PostOp::Kind::add) addends.push_back(addend(context.input(op.input), shape));
    const auto [y, pitch] = context.channels_last_output(std::move(shape));
    std::vector<const float*> added;
    for (const Tensor& a : addends) added.push_back(a.data<float>().data());
    if (pointwise_) {
      const Tensor pixels = to_channels_last(x);
      const std::int64_t start = 0;
      product_.run({pixels.data<float>().data(), x.dim(1), {&start, 1}, x.dim(1)},
                   element_count(window.output) * x.dim(0), added, y, pitch);
    } else {
      over_windows(x, window, added, y, pitch);
    }
  }

 private:
  static Tensor addend(const Tensor& given, const Shape& shape) {
    if (given.shape() != shape || given.dtype() != DType::f32)
      throw Error(Code::model, fmt::format("cannot add shape {} to a result of shape {}",
                                           to_string(given.shape()), to_string(shape)));
    return to_channels_last(given);
  }

  // A product for every row of outputs.
  void over_windows(const Tensor& x, const Window& w, std::vector<const float*> addends, float* y,
                    std::int64_t pitch) const {
    const Tensor images = padded_images(x, w);
    const std::int64_t channels = x.dim(1), height = images.dim(1), width = images.dim(2);
    const bool whole = w.dilations[1] == 1;  // a row of the filter is one run
    std::vector<std::int64_t> runs;
    for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky)
      for (std::int64_t kx = 0; kx < (whole ? 1 : w.kernel[1]); ++kx)
        runs.push_back((ky * w.dilations[0] * width + kx * w.dilations[1]) * channels);
    const std::int64_t length = whole ? w.kernel[1] * channels : channels;
    const std::int64_t line = w.output[1] * product_.columns();
    const std::int64_t step = w.strides[0] * width * channels;
    for (std::int64_t n = 0; n < x.dim(0); ++n) {
      const float* row = images.data<float>().data() + n * height * width * channels;
      for (std::int64_t oy = 0; oy < w.output[0]; ++oy, row += step, y += w.output[1] * pitch) {
        product_.run({row, w.strides[1] * channels, runs, length}, w.output[1], addends, y, pitch);
        for (const float*& a : addends) a += line;
      }
    }
  }

  WindowAttrs attrs_;
  ConvolutionShape geometry_;
  bool pointwise_;
  Product product_;
  FusedReference reference_;
};

// A pointwise convolution and the depthwise one that reads it, in bands of rows: what lies between
// is as large as the cache, not as the image. (In inverted residuals it is the largest value of
// all.)
class ExpandDepthwise final : public Kernel {
 public:
  ExpandDepthwise(const Node& node, const PostOps& ops, const Node& next, const PostOps& next_ops)
      : geometry_(node.input(1)->constant().shape(), 1),
        next_attrs_(read_window(next)),
        next_geometry_(next.input(1)->constant().shape(), next.attr_int("group", 1)),
        product_(make_product(node, bias_of(node), ops)),
        depthwise_(next.input(1)->constant(),
                   next.input(2) != nullptr ? next.input(2)->constant() : Tensor(), next_ops) {}

  bool takes_any_layout() const override { return true; }
  std::string detail() const override { return "pixels, then depthwise"; }

  void run(KernelContext& context) const override {
    const Tensor pixels = to_channels_last(context.input(0));
    if (pixels.rank() != 4 || pixels.dim(1) != geometry_.channels())
      throw Error(Code::model,
                  fmt::format("filters of shape {} do not fit an input of shape {}",
                              to_string(geometry_.filter_shape()), to_string(pixels.shape())));
    Shape between = pixels.shape();
    between[1] = geometry_.outputs();
    const Window w = next_geometry_.place(next_attrs_, between);
    Tensor y(DType::f32, {between[0], between[1], w.output[0], w.output[1]});
    y.set_layout(Layout::channels_last);
    float* out = y.mutate<float>().data();
    const float* in = pixels.data<float>().data();
    for (std::int64_t n = 0; n < between[0]; ++n, in += product(pixels.shape(), 1, 4))
      run_image(in, w, out + n * product(y.shape(), 1, 4));
    context.set_output(0, std::move(y));
  }

 private:
  static constexpr std::int64_t floats_in_cache = 96 * 1024;

  void run_image(const float* image, const Window& w, float* out) const {
    const std::int64_t channels = geometry_.outputs(), line = w.input[1] * channels;
    const std::int64_t in_line = w.input[1] * geometry_.channels(), start = 0;
    const std::int64_t fitting =
        (floats_in_cache / std::max<std::int64_t>(line, 1) - w.extent(0)) / w.strides[0];
    const std::int64_t step =
        std::clamp<std::int64_t>(fitting, 1, std::max<std::int64_t>(w.output[0], 1));
    const std::int64_t most = std::min((step - 1) * w.strides[0] + w.extent(0), w.input[0]);
    Tensor band(DType::f32, {most * line});
    float* rows = band.mutate<float>().data();
    std::int64_t first = 0, last = 0;  // rows of the value between that the band holds
    for (std::int64_t y = 0; y < w.output[0]; y += step) {
      const std::int64_t stop = std::min(y + step, w.output[0]);
      const std::int64_t top = y * w.strides[0] - w.begin[0];
      const std::int64_t bottom = (stop - 1) * w.strides[0] - w.begin[0] + w.extent(0);
      const std::int64_t from = std::clamp<std::int64_t>(top, 0, w.input[0]);
      const std::int64_t to = std::clamp<std::int64_t>(bottom, from, w.input[0]);
      const std::int64_t kept = std::max<std::int64_t>(last - std::max(from, first), 0);
      if (kept > 0) std::copy_n(rows + (last - kept - first) * line, kept * line, rows);
      const std::int64_t next = std::max(from, last);
      if (to > next)
        product_.run(
            {image + next * in_line, geometry_.channels(), {&start, 1}, geometry_.channels()},
            (to - next) * w.input[1], {}, rows + (next - from) * line, channels);
      first = from;
      last = std::max(to, first);
      Window part = w;
      part.input[0] = last - first;
      part.begin[0] = first - top;
      part.output[0] = stop - y;
      depthwise_.run(rows, part, {}, out + y * w.output[1] * channels);
    }
  }

  ConvolutionShape geometry_;
  WindowAttrs next_attrs_;
  ConvolutionShape next_geometry_;
  Product product_;
  Depthwise depthwise_;
};

Refusal refuse(const Node& node) {
  const Value *x = node.input(0), *w = node.input(1), *b = node.input(2);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  if (w == nullptr || !w->is_constant() || w->constant().dtype() != DType::f32)
    return "filters are not constant f32";
  const Shape& shape = w->constant().shape();
  if (node.attr_int("group", 1) != 1) return "several groups";
  if (shape.size() < 3 || w->constant().size() == 0)
    return "filters without a spatial axis, or none";
  if (b != nullptr && (!b->is_constant() || b->constant().shape() != Shape{shape[0]} ||
                       b->constant().dtype() != DType::f32))
    return "bias is not constant f32 of one value per filter";
  if (shape.size() != 4 && !is_pointwise(read_window(node), shape)) return "not two spatial axes";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<ProductConv>(node, PostOps{});
}
std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  return std::make_unique<ProductConv>(node, ops);
}

// Only where the type of the input is known: there is no slow twin to fall back on.
std::unique_ptr<Kernel> make_followed(const Node& node, const PostOps& ops, const Node& next,
                                      const PostOps& next_ops) {
  const bool pairs = next.is("Conv") && !refuse_depthwise(next) && node.input(0) != nullptr &&
                     node.input(0)->dtype() == DType::f32 &&
                     node.input(1)->constant().rank() == 4 &&
                     is_pointwise(read_window(node), node.input(1)->constant().shape()) &&
                     next.input(1)->constant().dim(0) == node.input(1)->constant().dim(0);
  if (!pairs) return nullptr;
  return std::make_unique<ExpandDepthwise>(node, ops, next, next_ops);
}

}  // namespace

void register_vector_conv(Registry& registry) {
  registry.add({.op = "Conv",
                .impl = "product",
                .priority = 15,
                .refuse = refuse,
                .make = make,
                .slices = true,
                .make_fused = make_fused,
                .make_followed = make_followed});
}

}  // namespace intaglio
