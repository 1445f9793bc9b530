// Conv of one group as a product: 1x1 filters on channels-last images, where every pixel is a row;
// and filters on row-major images of few channels (the first layer of most networks), whose values
// are taken where they lie.
#include <fmt/format.h>

#include "lib/exec/convolution.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/product.h"

namespace intaglio {
namespace {

constexpr std::int64_t few_channels = 16;

// [M, C, kernel...] as a matrix of (C, kernel...) rows and M columns.
MatrixRef as_matrix(const Tensor& filters) {
  const std::int64_t depth = product(filters.shape(), 1, filters.shape().size());
  return {filters.data<float>().data(), depth, filters.dim(0), 1, depth};
}

std::span<const float> bias_of(const Node& node) {
  return node.input(2) != nullptr ? node.input(2)->constant().data<float>() : std::span<const float>{};
}

bool is_pointwise(const WindowAttrs& attrs, const Shape& filters) {
  const auto all = [](const Shape& list, std::int64_t v) {
    return std::ranges::all_of(list, [v](std::int64_t x) { return x == v; });
  };
  return std::ranges::all_of(filters.begin() + 2, filters.end(), [](auto k) { return k == 1; }) &&
         all(attrs.strides, 1) && all(attrs.pads, 0);
}

class ProductConv final : public Kernel {
 public:
  ProductConv(const Node& node, const PostOps& ops)
      : attrs_(read_window(node)),
        geometry_(node.input(1)->constant().shape(), 1),
        pointwise_(is_pointwise(attrs_, geometry_.filter_shape())),
        product_(as_matrix(node.input(1)->constant()), bias_of(node), ops),
        reference_(node, ops) {}

  bool takes_any_layout() const override { return true; }
  std::string detail() const override { return pointwise_ ? "pointwise" : "taps"; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32 || x.rank() != static_cast<int>(geometry_.filter_shape().size()))
      return reference_.run(context);
    const Window window = geometry_.place(attrs_, x.shape());
    Shape shape{x.dim(0), geometry_.outputs()};
    shape.insert(shape.end(), window.output.begin(), window.output.end());
    Tensor y(DType::f32, shape);
    y.set_layout(Layout::channels_last);
    std::vector<Tensor> addends;
    for (const PostOp& op : product_.ops())
      if (op.kind == PostOp::Kind::add) addends.push_back(addend(context.input(op.input), y));
    std::vector<const float*> added;
    for (const Tensor& a : addends) added.push_back(a.data<float>().data());
    if (pointwise_) {
      const Tensor pixels = to_channels_last(x);
      product_.run(pixels.data<float>().data(), x.dim(1), element_count(window.output) * x.dim(0), added,
                   y.mutate<float>().data());
    } else {
      by_taps(to_row_major(x), window, added, y.mutate<float>().data());
    }
    context.set_output(0, std::move(y));
  }

 private:
  static Tensor addend(const Tensor& given, const Tensor& y) {
    if (given.shape() != y.shape() || given.dtype() != DType::f32)
      throw Error(Code::model, fmt::format("cannot add shape {} to a result of shape {}",
                                           to_string(given.shape()), to_string(y.shape())));
    return to_channels_last(given);
  }

  // Every row of outputs, from images with zeros around them.
  void by_taps(const Tensor& x, const Window& w, std::vector<const float*> addends, float* y) const {
    const std::int64_t height = (w.output[0] - 1) * w.strides[0] + w.extent(0);
    const std::int64_t width = (w.output[1] - 1) * w.strides[1] + w.extent(1);
    const std::int64_t channels = x.dim(1), line = w.output[1] * product_.columns();
    Tensor padded(DType::f32, {channels, height, width});
    std::vector<const float*> taps(static_cast<std::size_t>(product_.depth()));
    for (std::int64_t n = 0; n < x.dim(0); ++n) {
      pad(x.data<float>().data() + n * channels * element_count(w.input), w, channels, padded);
      const float* first = padded.data<float>().data();
      for (std::int64_t oy = 0; oy < w.output[0]; ++oy, first += w.strides[0] * width, y += line) {
        auto tap = taps.begin();
        for (std::int64_t c = 0; c < channels; ++c)
          for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky)
            for (std::int64_t kx = 0; kx < w.kernel[1]; ++kx)
              *tap++ = first + (c * height + ky * w.dilations[0]) * width + kx * w.dilations[1];
        product_.run_taps(taps.data(), w.strides[1], w.output[1], addends, y);
        for (const float*& a : addends) a += line;
      }
    }
  }

  // The part of the image that windows cover, zeros where there is none.
  static void pad(const float* image, const Window& w, std::int64_t channels, Tensor& padded) {
    const std::int64_t height = padded.dim(1), width = padded.dim(2);
    const std::int64_t left = std::clamp<std::int64_t>(w.begin[1], 0, width);
    const std::int64_t skipped = std::max<std::int64_t>(-w.begin[1], 0);
    const std::int64_t copied = std::clamp<std::int64_t>(w.input[1] - skipped, 0, width - left);
    float* to = padded.mutate<float>().data();
    for (std::int64_t c = 0; c < channels; ++c, image += element_count(w.input))
      for (std::int64_t y = 0; y < height; ++y, to += width) {
        const std::int64_t from = y - w.begin[0];
        const std::int64_t inside = from >= 0 && from < w.input[0] ? copied : 0;
        std::fill_n(to, left, 0.0f);
        std::copy_n(image + from * w.input[1] * (inside > 0) + skipped * (inside > 0), inside, to + left);
        std::fill(to + left + inside, to + width, 0.0f);
      }
  }

  WindowAttrs attrs_;
  ConvolutionShape geometry_;
  bool pointwise_;
  Product product_;
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  const Value *x = node.input(0), *w = node.input(1), *b = node.input(2);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  if (w == nullptr || !w->is_constant() || w->constant().dtype() != DType::f32)
    return "filters are not constant f32";
  const Shape& shape = w->constant().shape();
  if (node.attr_int("group", 1) != 1) return "several groups";
  if (shape.size() < 3 || w->constant().size() == 0) return "filters without a spatial axis, or none";
  if (b != nullptr && (!b->is_constant() || b->constant().shape() != Shape{shape[0]} ||
                       b->constant().dtype() != DType::f32))
    return "bias is not constant f32 of one value per filter";
  if (is_pointwise(read_window(node), shape)) return std::nullopt;
  if (shape.size() != 4 || shape[1] > few_channels) return "neither 1x1 nor of few channels";
  // A layer that reads another one has channels-last input already.
  if (x == nullptr || (x->producer() != nullptr && x->producer()->is("Conv"))) return "not the first layer";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<ProductConv>(node, PostOps{}); }
std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  return std::make_unique<ProductConv>(node, ops);
}

}  // namespace

void register_vector_conv(Registry& registry) {
  registry.add({.op = "Conv", .impl = "product", .priority = 15, .refuse = refuse, .make = make,
                .make_fused = make_fused});
}

}  // namespace intaglio
