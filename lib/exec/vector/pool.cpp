// MaxPool and AveragePool of channels-last f32 images: all channels of a pixel at a time.
#include "lib/exec/pool.h"

#include <algorithm>
#include <limits>

#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/simd.h"

namespace intaglio {
namespace {

INTAGLIO_CLONES void keep_greatest(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
}
INTAGLIO_CLONES void add_to(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += x[i];
}
INTAGLIO_CLONES void divide(float* y, float by, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] /= by;
}

// The part of a window that lies on the input, along one axis.
struct Span {
  std::int64_t first, last;  // positions, `step` apart
  std::int64_t padded;       // taps that count with count_include_pad
  Span(const Window& w, std::size_t axis, std::int64_t at) {
    const std::int64_t step = w.dilations[axis], start = at * w.strides[axis] - w.begin[axis];
    const std::int64_t stop = start + w.extent(axis);
    first = start < 0 ? start + (-start + step - 1) / step * step : start;
    last = std::min(stop, w.input[axis]);
    padded = (std::min(stop, w.input[axis] + w.end[axis]) - start + step - 1) / step;
  }
  std::int64_t count(std::int64_t step) const { return last > first ? (last - first + step - 1) / step : 0; }
};

class Pool final : public Kernel {
 public:
  explicit Pool(const Node& node)
      : attrs_(read_window(node)),
        max_(node.is("MaxPool")),
        with_padding_(!max_ && node.attr_int("count_include_pad", 0) != 0),
        indices_(node.output(1) != nullptr),
        reference_(node, {}) {}

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.layout() != Layout::channels_last || x.dtype() != DType::f32 || x.rank() != 4 || indices_)
      return reference_.run(context);
    const Window window = place_pool(attrs_, x.shape());
    Tensor y(DType::f32, pooled_shape(x.shape(), window));
    y.set_layout(Layout::channels_last);
    const float* image = x.data<float>().data();
    float* out = y.mutate<float>().data();
    for (std::int64_t n = 0; n < x.dim(0); ++n, image += product(x.shape(), 1, 4))
      for (std::int64_t oy = 0; oy < window.output[0]; ++oy) {
        const Span rows(window, 0, oy);
        for (std::int64_t ox = 0; ox < window.output[1]; ++ox, out += x.dim(1))
          pool(image, window, rows, Span(window, 1, ox), x.dim(1), out);
      }
    context.set_output(0, std::move(y));
  }

 private:
  void pool(const float* image, const Window& w, const Span& rows, const Span& columns,
            std::int64_t channels, float* out) const {
    std::fill_n(out, channels, max_ ? -std::numeric_limits<float>::infinity() : 0.0f);
    for (std::int64_t y = rows.first; y < rows.last; y += w.dilations[0])
      for (std::int64_t x = columns.first; x < columns.last; x += w.dilations[1]) {
        const float* in = image + (y * w.input[1] + x) * channels;
        max_ ? keep_greatest(in, out, channels) : add_to(in, out, channels);
      }
    if (max_) return;
    const std::int64_t count = with_padding_ ? rows.padded * columns.padded
                                             : rows.count(w.dilations[0]) * columns.count(w.dilations[1]);
    divide(out, static_cast<float>(count), channels);
  }

  WindowAttrs attrs_;
  bool max_, with_padding_, indices_;
  FusedReference reference_;
};

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<Pool>(node); }

}  // namespace

void register_vector_pool(Registry& registry) {
  registry.add({.op = "MaxPool", .impl = "vector", .priority = 10, .make = make});
  registry.add({.op = "AveragePool", .impl = "vector", .priority = 10, .make = make});
}

}  // namespace intaglio
