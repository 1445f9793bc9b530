// ConvTranspose of one group on channels-last images: every row of pixels times the filters is a
// product; its results are added where they belong, all channels of a row of taps at a time.
#include "lib/exec/ops/conv_transpose.h"

#include <algorithm>

#include "lib/base/simd.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/conv_node.h"
#include "lib/exec/vector/product.h"

namespace intaglio {
namespace {

INTAGLIO_CLONES void add_to(const float* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

// Filters [C, M, kh, kw] as a matrix of C rows and (kh, kw, M) columns.
Product make_product(const Tensor& filters) {
  const std::int64_t outputs = filters.dim(1), taps = filters.dim(2) * filters.dim(3);
  const std::int64_t columns = outputs * taps;
  std::vector<float> matrix(static_cast<std::size_t>(filters.size()));
  const float* from = filters.data<float>().data();
  for (std::int64_t c = 0; c < filters.dim(0); ++c)
    for (std::int64_t m = 0; m < outputs; ++m)
      for (std::int64_t t = 0; t < taps; ++t)
        matrix[static_cast<std::size_t>(c * columns + t * outputs + m)] = *from++;
  return Product({matrix.data(), filters.dim(0), columns, columns, 1}, {}, {});
}

class TransposedConv final : public Kernel {
 public:
  TransposedConv(const Node& node, PostOps ops)
      : attrs_(read_conv_transpose(node)),
        filters_(node.input(1)->constant().shape()),
        bias_(bias_of(node).begin(), bias_of(node).end()),
        ops_(std::move(ops)),
        product_(make_product(node.input(1)->constant())),
        reference_(node, ops_) {
    bias_.resize(static_cast<std::size_t>(filters_[1]));
  }

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32) return reference_.run(context);
    const Window w = place_transposed(attrs_, x.shape(), filters_);
    Tensor y(DType::f32, {x.dim(0), filters_[1], w.input[0], w.input[1]});
    y.set_layout(Layout::channels_last);
    const auto addends = channels_last_addends(context, ops_, y.shape());
    const Tensor images = to_channels_last(x);
    const std::int64_t in = product(x.shape(), 1, 4), out = product(y.shape(), 1, 4);
    float* to = y.mutate<float>().data();
    for (std::int64_t n = 0; n < x.dim(0); ++n, to += out) {
      for (std::int64_t i = 0; i < out; i += filters_[1]) std::ranges::copy(bias_, to + i);
      run_image(images.data<float>().data() + n * in, w, to);
      apply(ops_, to, out, addends_of(addends, n, out).data());
    }
    context.set_output(0, std::move(y));
  }

 private:
  void run_image(const float* image, const Window& w, float* out) const {
    const std::int64_t channels = filters_[0], start = 0, width = w.output[1];
    Tensor scaled(DType::f32, {width, product_.columns()});
    float* values = scaled.mutate<float>().data();
    for (std::int64_t y = 0; y < w.output[0]; ++y, image += width * channels) {
      product_.run({image, channels, {&start, 1}, channels}, width, {}, values, product_.columns());
      for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky) {
        const std::int64_t row = y * w.strides[0] + ky * w.dilations[0] - w.begin[0];
        if (row >= 0 && row < w.input[0])
          add_row(values + ky * w.kernel[1] * filters_[1], w, out + row * w.input[1] * filters_[1]);
      }
    }
  }

  // Taps that are neighbours reach pixels that are neighbours, unless the filter has holes.
  void add_row(const float* values, const Window& w, float* row) const {
    const std::int64_t outputs = filters_[1], taps = w.kernel[1];
    for (std::int64_t x = 0; x < w.output[1]; ++x, values += product_.columns()) {
      const std::int64_t first = x * w.strides[1] - w.begin[1];
      if (w.dilations[1] == 1) {
        const std::int64_t lo = std::clamp<std::int64_t>(-first, 0, taps);
        const std::int64_t hi = std::clamp<std::int64_t>(w.input[1] - first, lo, taps);
        add_to(values + lo * outputs, (hi - lo) * outputs, row + (first + lo) * outputs);
        continue;
      }
      for (std::int64_t k = 0; k < taps; ++k) {
        const std::int64_t at = first + k * w.dilations[1];
        if (at >= 0 && at < w.input[1]) add_to(values + k * outputs, outputs, row + at * outputs);
      }
    }
  }

  ConvTransposeAttrs attrs_;
  Shape filters_;
  std::vector<float> bias_;
  PostOps ops_;
  Product product_;
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  if (const Refusal why = refuse_constant_conv(node, 1)) return why;
  if (node.input(1)->constant().rank() != 4) return "not two spatial axes";
  if (node.attr_int("group", 1) != 1) return "several groups";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<TransposedConv>(node, PostOps{});
}
std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  return std::make_unique<TransposedConv>(node, ops);
}

}  // namespace

void register_vector_conv_transpose(Registry& registry) {
  registry.add({.op = "ConvTranspose",
                .impl = "vector",
                .priority = 10,
                .refuse = refuse,
                .make = make,
                .make_fused = make_fused});
}

}  // namespace intaglio
