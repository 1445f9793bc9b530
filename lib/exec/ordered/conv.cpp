// Conv whose sums are added in the order of onnxruntime's CPU kernels on x86-64 with FMA, so that
// simulating a quantized model in float rounds to the same codes. For the columns of the windows of
// an image (im2col) and a filter of K values:
//  - groups of several filters: chains of fused multiply-adds over k, begun at 0 and as long as
//    chain_length(); they are added one after the other, then the bias;
//  - groups of one filter: four products at a time (then two, then one), each rounded, added from
//    the left, then the sum so far, then the bias.
// (The order is that of MlasSgemmOperation, MlasConvOperation and MlasSgemmKernelM1Avx in
// onnxruntime/core/mlas, 1.31, on one thread; checked against it to the bit.)
//
// This folder is compiled without contraction: products are fused where the code says so.
#include <algorithm>
#include <array>
#include <memory>

#include "lib/exec/ops/convolution.h"
#include "lib/exec/ops/plane.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector_math.h"

namespace intaglio {
namespace {

constexpr int filters_at_once = 4, vectors_at_once = 2;         // what fits into registers
constexpr std::int64_t strip = vectors_at_once * vector_width;  // columns at a time

// How many products one chain adds: blocks of 128 by 128 grow in depth as columns are few.
std::int64_t chain_length(std::int64_t columns, std::int64_t depth) {
  std::int64_t length = 128, width = 128;
  if (columns < depth)
    for (; width > 16 && width / 2 >= columns; width /= 2) length *= 2;
  return length;
}

// to[r][x] += the sum of weights[r][k] * columns[k][x] over k, in its order.
INTAGLIO_CLONES void add_chains(const float* const* weights, const float* columns,
                                std::int64_t length, float* const* to) {
  Vector16 sums[filters_at_once][vectors_at_once] = {};
  for (std::int64_t k = 0; k < length; ++k, columns += strip)
#pragma GCC unroll 4
    for (int r = 0; r < filters_at_once; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < vectors_at_once; ++v)
        sums[r][v] =
            vec::fma(vec::all(weights[r][k]), vec::load(columns + v * vector_width), sums[r][v]);
#pragma GCC unroll 4
  for (int r = 0; r < filters_at_once; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < vectors_at_once; ++v) {
      float* at = to[r] + v * vector_width;
      vec::store(at, vec::load(at) + sums[r][v]);
    }
}

// sums[x] = sums[x] + (weights[0] * columns[0][x] + ...), of `count` products, 1 to 4.
INTAGLIO_CLONES void add_products(const float* weights, const float* columns, std::int64_t count,
                                  float* sums) {
  for (std::int64_t x = 0; x < strip; ++x) {
    float sum = weights[0] * columns[x];
    for (std::int64_t k = 1; k < count; ++k) sum += weights[k] * columns[k * strip + x];
    sums[x] += sum;
  }
}

// The windows of one group's channels as columns, strip by strip.
class Columns {
 public:
  Columns(const Window& window, const float* image, std::int64_t channels) : window_(window) {
    for (std::int64_t c = 0; c < channels; ++c) {
      planes_.emplace_back(window, 0.0f);
      planes_.back().load(image + c * element_count(window.input));
    }
    depth_ = channels * element_count(window.kernel);
    values_.resize(static_cast<std::size_t>(depth_ * strip));
  }

  std::int64_t depth() const { return depth_; }

  // [depth, strip]: the positions [first, first + count) of the output, and zeros.
  const float* at(std::int64_t first, std::int64_t count) {
    float* to = values_.data();
    for (const Plane<float>& plane : planes_)
      for (const std::int64_t tap : plane.taps()) {
        fill(plane, tap, first, count, to);
        to += strip;
      }
    return values_.data();
  }

 private:
  void fill(const Plane<float>& plane, std::int64_t tap, std::int64_t first, std::int64_t count,
            float* to) const {
    const std::int64_t width = window_.output.back();
    for (std::int64_t x = 0; x < count;) {
      const std::int64_t row = (first + x) / width, column = (first + x) % width;
      const std::int64_t run = std::min(width - column, count - x);
      std::copy_n(plane.row(row) + tap + column, run, to + x);
      x += run;
    }
    std::fill(to + count, to + strip, 0.0f);
  }

  const Window& window_;
  std::vector<Plane<float>> planes_;
  std::int64_t depth_ = 0;
  std::vector<float> values_;
};

// Sums of one strip: [filters, strip].
class Sums {
 public:
  Sums(const float* weights, std::int64_t filters, std::int64_t depth)
      : weights_(weights),
        filters_(filters),
        depth_(depth),
        sums_(static_cast<std::size_t>((filters + 1) * strip)) {}

  const float* of(std::int64_t filter) const { return sums_.data() + filter * strip; }

  void add(const float* columns, std::int64_t length) {
    std::fill(sums_.begin(), sums_.end(), 0.0f);
    if (filters_ == 1) return add_products(columns);
    for (std::int64_t r = 0; r < filters_; r += filters_at_once) add_chains(r, columns, length);
  }

 private:
  // Behind the last filter its own weights again, into a row that nobody reads.
  void add_chains(std::int64_t first, const float* columns, std::int64_t length) {
    std::array<const float*, filters_at_once> weights{};
    std::array<float*, filters_at_once> to{};
    for (std::int64_t r = 0; r < filters_at_once; ++r) {
      weights[static_cast<std::size_t>(r)] = weights_ + std::min(first + r, filters_ - 1) * depth_;
      to[static_cast<std::size_t>(r)] = sums_.data() + std::min(first + r, filters_) * strip;
    }
    for (std::int64_t k = 0; k < depth_; k += length) {
      intaglio::add_chains(weights.data(), columns + k * strip, std::min(length, depth_ - k),
                           to.data());
      for (const float*& w : weights) w += length;
    }
  }

  void add_products(const float* columns) {
    for (std::int64_t k = 0; k < depth_;) {
      const std::int64_t left = depth_ - k, count = left >= 4 ? 4 : left >= 2 ? 2 : 1;
      intaglio::add_products(weights_ + k, columns + k * strip, count, sums_.data());
      k += count;
    }
  }

  const float* weights_;
  std::int64_t filters_, depth_;
  std::vector<float> sums_;
};

// One image, one group: weights [filters, depth], out [filters, pixels].
void convolve(const float* weights, std::int64_t filters, Columns& columns, const float* bias,
              std::int64_t pixels, float* out) {
  const std::int64_t length = chain_length(pixels, columns.depth());
  Sums sums(weights, filters, columns.depth());
  for (std::int64_t first = 0; first < pixels; first += strip) {
    const std::int64_t count = std::min(strip, pixels - first);
    sums.add(columns.at(first, count), length);
    for (std::int64_t r = 0; r < filters; ++r)
      for (std::int64_t x = 0; x < count; ++x)
        out[r * pixels + first + x] = sums.of(r)[x] + (bias != nullptr ? bias[r] : 0.0f);
  }
}

void run_conv(KernelContext& context, const WindowAttrs& attrs, std::int64_t group) {
  const Tensor &x = context.input(0), &w = context.input(1);
  const Tensor* bias = context.optional(2);
  const ConvolutionShape shape(w.shape(), group);
  const Window window = shape.place(attrs, x.shape());
  if (bias != nullptr) shape.require_bias(bias->shape());
  Shape dims{x.dim(0), shape.outputs()};
  dims.insert(dims.end(), window.output.begin(), window.output.end());
  float* out = context.output(0, DType::f32, dims).mutate<float>().data();
  const std::int64_t pixels = element_count(window.output), filters = shape.outputs() / group,
                     channels = w.dim(1);
  const float* image = x.data<float>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n)
    for (std::int64_t g = 0; g < group; ++g) {
      Columns columns(window, image, channels);
      convolve(w.data<float>().data() + g * filters * columns.depth(), filters, columns,
               bias != nullptr ? bias->data<float>().data() + g * filters : nullptr, pixels, out);
      image += channels * element_count(window.input);
      out += filters * pixels;
    }
}

Refusal refuse_conv(const Node& node) {
  for (std::size_t i = 0; i < 2; ++i)
    if (node.input(i) == nullptr || node.input(i)->dtype() != DType::f32) return "not float32";
  return std::nullopt;
}

std::unique_ptr<Kernel> make_conv(const Node& node) {
  return make_kernel([attrs = read_window(node), group = node.attr_int("group", 1)](
                         KernelContext& context) { run_conv(context, attrs, group); });
}

}  // namespace

void register_ordered_conv(Registry& registry) {
  registry.add(
      {.op = "Conv", .impl = "ordered", .priority = -1, .refuse = refuse_conv, .make = make_conv});
}

}  // namespace intaglio
