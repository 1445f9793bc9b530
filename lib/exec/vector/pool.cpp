// MaxPool and AveragePool of channels-last f32 images: all channels of a pixel at a time.
#include "lib/exec/ops/pool.h"

#include <algorithm>
#include <limits>

#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector_math.h"

namespace intaglio {
namespace {

// The taps of a window that lie on the input: `count` pixels, wherever they are.
struct Taps {
  const float* const* pixels;
  std::int64_t count;
};

// Sixteen channels at a time; the last vector overlaps the one before.
template <bool max>
[[gnu::always_inline]] inline Vector16 pool_vector(const Taps& taps, std::int64_t c,
                                                   float divisor) {
  Vector16 y = vec::all(max ? -std::numeric_limits<float>::infinity() : 0.0f);
  for (std::int64_t t = 0; t < taps.count; ++t) {
    const Vector16 x = vec::load(taps.pixels[t] + c);
    y = max ? (x > y ? x : y) : y + x;
  }
  return max ? y : y / divisor;
}

template <bool max>
[[gnu::always_inline]] inline void pool_pixel(const Taps& taps, std::int64_t channels,
                                              float divisor, float* out) {
  for (std::int64_t v = 0; v + vector_width <= channels; v += vector_width)
    vec::store(out + v, pool_vector<max>(taps, v, divisor));
  if (channels % vector_width == 0) return;
  if (channels > vector_width)
    return vec::store(out + channels - vector_width,
                      pool_vector<max>(taps, channels - vector_width, divisor));
  for (std::int64_t c = 0; c < channels; ++c) {
    float y = max ? -std::numeric_limits<float>::infinity() : 0.0f;
    for (std::int64_t t = 0; t < taps.count; ++t) {
      const float x = taps.pixels[t][c];
      y = max ? (x > y ? x : y) : y + x;
    }
    out[c] = max ? y : y / divisor;
  }
}

INTAGLIO_CLONES void keep_greatest(const Taps& taps, std::int64_t channels, float* out) {
  pool_pixel<true>(taps, channels, 1, out);
}
INTAGLIO_CLONES void average(const Taps& taps, std::int64_t channels, float divisor, float* out) {
  pool_pixel<false>(taps, channels, divisor, out);
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
    if (y.size() == 0) return context.set_output(0, std::move(y));
    const float* image = x.data<float>().data();
    float* out = y.mutate<float>().data();
    std::vector<Span> columns;
    for (std::int64_t ox = 0; ox < window.output[1]; ++ox) columns.emplace_back(window, 1, ox);
    std::vector<const float*> pixels;
    for (std::int64_t n = 0; n < x.dim(0); ++n, image += product(x.shape(), 1, 4))
      for (std::int64_t oy = 0; oy < window.output[0]; ++oy) {
        const Span rows(window, 0, oy);
        for (std::int64_t ox = 0; ox < window.output[1]; ++ox, out += x.dim(1))
          pool(image, window, rows, columns[static_cast<std::size_t>(ox)], x.dim(1), pixels, out);
      }
    context.set_output(0, std::move(y));
  }

 private:
  void pool(const float* image, const Window& w, const Span& rows, const Span& columns,
            std::int64_t channels, std::vector<const float*>& pixels, float* out) const {
    pixels.clear();
    for (std::int64_t y = rows.first; y < rows.last; y += w.dilations[0])
      for (std::int64_t x = columns.first; x < columns.last; x += w.dilations[1])
        pixels.push_back(image + (y * w.input[1] + x) * channels);
    const Taps taps{pixels.data(), static_cast<std::int64_t>(pixels.size())};
    if (max_) return keep_greatest(taps, channels, out);
    const std::int64_t count = with_padding_ ? rows.padded * columns.padded : taps.count;
    average(taps, channels, static_cast<float>(count), out);
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
