// Conv of one group as a product on channels-last images: a row for each window. Windows are read
// where they lie; images are copied once if they need zeros around them.
#include <fmt/format.h>

#include "lib/base/team.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/ops/convolution.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/conv_node.h"
#include "lib/exec/vector/expand_depthwise.h"
#include "lib/exec/vector/padded.h"
#include "lib/exec/vector/product.h"
#include "lib/exec/vector/product_conv.h"

namespace intaglio {
namespace {

// The part of images that windows cover, channels last, with zeros where there is none: [N, H, W,
// C].
Tensor padded_images(const Tensor& x, const Window& w) {
  const CoveredPart part(w);
  const Tensor images = as_stored(to_channels_last(x));
  if (part.lies_in_place(w) && x.dim(0) == 1) return images;
  Tensor padded(DType::f32, {x.dim(0), part.height, part.width, x.dim(1)});
  copy_covered(images.data<float>().data(), x.dim(0), x.dim(1), w, 0.0f,
               padded.mutate<float>().data());
  return padded;
}

class ProductConv final : public Kernel {
 public:
  ProductConv(const Node& node, const PostOps& ops)
      : attrs_(read_window(node)),
        geometry_(node.input(1)->constant().shape(), 1),
        pointwise_(is_pointwise(attrs_, geometry_.filter_shape())),
        product_(filter_product(node, ops)),
        reference_(node, ops) {}

  bool takes_any_layout() const override { return true; }
  std::string detail() const override { return pointwise_ ? "pixels" : "windows"; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32) return reference_.run(context);
    const Window window = geometry_.place(attrs_, x.shape());
    Shape shape{x.dim(0), geometry_.outputs()};
    shape.insert(shape.end(), window.output.begin(), window.output.end());
    const auto addends = channels_last_addends(context, product_.ops(), shape);
    const auto [y, pitch] = context.channels_last_output(std::move(shape));
    const auto added = addends_of(addends, 0, 0);
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
  // A product for every row of outputs.
  void over_windows(const Tensor& x, const Window& w, const std::vector<const float*>& addends,
                    float* y, std::int64_t pitch) const {
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
    const float* data = images.data<float>().data();
    split(x.dim(0) * w.output[0], rows_worth_splitting(line * product_.depth()),
          [&](std::int64_t first, std::int64_t last) {
            std::vector<const float*> rest(addends);
            for (const float*& a : rest) a += first * line;
            for (std::int64_t i = first; i < last; ++i) {
              const float* row =
                  data + i / w.output[0] * height * width * channels + i % w.output[0] * step;
              product_.run({row, w.strides[1] * channels, runs, length}, w.output[1], rest,
                           y + i * w.output[1] * pitch, pitch);
              for (const float*& a : rest) a += line;
            }
          });
  }

  WindowAttrs attrs_;
  ConvolutionShape geometry_;
  bool pointwise_;
  Product product_;
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  if (const Refusal why = refuse_constant_conv(node)) return why;
  if (node.attr_int("group", 1) != 1) return "several groups";
  const Shape& shape = node.input(1)->constant().shape();
  if (shape.size() != 4 && !is_pointwise(read_window(node), shape)) return "not two spatial axes";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<ProductConv>(node, PostOps{});
}

}  // namespace

std::unique_ptr<Kernel> make_product_conv(const Node& node, const PostOps& ops) {
  return std::make_unique<ProductConv>(node, ops);
}

void register_vector_conv(Registry& registry) {
  registry.add({.op = "Conv",
                .impl = "product",
                .priority = 15,
                .refuse = refuse,
                .make = make,
                .slices = true,
                .make_fused = make_product_conv,
                .make_followed = make_expand_depthwise});
}

}  // namespace intaglio
