#include "lib/exec/vector/expand_depthwise.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/team.h"
#include "lib/exec/ops/convolution.h"
#include "lib/exec/vector/conv_node.h"
#include "lib/exec/vector/depthwise.h"
#include "lib/exec/vector/product.h"
#include "lib/exec/vector/scratch.h"

namespace intaglio {
namespace {

// A pointwise convolution and the depthwise one that reads it, in bands of rows: what lies between
// is as large as the cache, not as the image. (In inverted residuals it is the largest value of
// all.)
class ExpandDepthwise final : public Kernel {
 public:
  ExpandDepthwise(const Node& node, const PostOps& ops, const Node& next, const PostOps& next_ops)
      : geometry_(node.input(1)->constant().shape(), 1),
        next_attrs_(read_window(next)),
        next_geometry_(next.input(1)->constant().shape(), next.attr_int("group", 1)),
        product_(filter_product(node, ops)),
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
    const std::int64_t row = w.output[1] * geometry_.outputs() *
                             (geometry_.channels() * w.strides[0] * w.strides[1] + w.kernel[0]);
    split(w.output[0], rows_worth_splitting(row),
          [&](std::int64_t first, std::int64_t last) { run_rows(image, w, first, last, out); });
  }

  // Rows [begin, end) of the result.
  void run_rows(const float* image, const Window& w, std::int64_t begin, std::int64_t end,
                float* out) const {
    const std::int64_t channels = geometry_.outputs(), line = w.input[1] * channels;
    const std::int64_t in_line = w.input[1] * geometry_.channels(), start = 0;
    const std::int64_t fitting =
        (floats_in_cache / std::max<std::int64_t>(line, 1) - w.extent(0)) / w.strides[0];
    const std::int64_t step =
        std::clamp<std::int64_t>(fitting, 1, std::max<std::int64_t>(end - begin, 1));
    const std::int64_t most = std::min((step - 1) * w.strides[0] + w.extent(0), w.input[0]);
    float* rows = scratch(Scratch::inputs, most * line);
    std::int64_t first = 0, last = 0;  // rows of the value between that the band holds
    for (std::int64_t y = begin; y < end; y += step) {
      const std::int64_t stop = std::min(y + step, end);
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

}  // namespace

// Only where the type of the input is known: there is no slow twin to fall back on.
std::unique_ptr<Kernel> make_expand_depthwise(const Node& node, const PostOps& ops,
                                              const Node& next, const PostOps& next_ops) {
  const bool pairs = next.is("Conv") && !refuse_depthwise(next) && node.input(0) != nullptr &&
                     node.input(0)->dtype() == DType::f32 &&
                     node.input(1)->constant().rank() == 4 &&
                     is_pointwise(read_window(node), node.input(1)->constant().shape()) &&
                     next.input(1)->constant().dim(0) == node.input(1)->constant().dim(0);
  if (!pairs) return nullptr;
  return std::make_unique<ExpandDepthwise>(node, ops, next, next_ops);
}

}  // namespace intaglio
