// GlobalAveragePool, and ReduceMean over all spatial axes, of channels-last f32 images.
#include <algorithm>
#include <numeric>

#include "lib/base/simd.h"
#include "lib/exec/arguments.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"

namespace intaglio {
namespace {

INTAGLIO_CLONES void add_pixels(const float* x, std::int64_t pixels, std::int64_t channels,
                                double* sums) {
  for (std::int64_t p = 0; p < pixels; ++p, x += channels)
    for (std::int64_t c = 0; c < channels; ++c) sums[c] += static_cast<double>(x[c]);
}

// Means in double over the pixels in order, as the reference does.
Tensor spatial_mean(const Tensor& x, Shape shape) {
  const std::int64_t channels = x.dim(1), area = product(x.shape(), 2, x.shape().size());
  Tensor y(DType::f32, std::move(shape));
  float* out = y.mutate<float>().data();
  const float* in = x.data<float>().data();
  std::vector<double> sums(static_cast<std::size_t>(channels));
  for (std::int64_t n = 0; n < x.dim(0); ++n) {
    std::ranges::fill(sums, 0.0);
    add_pixels(in, area, channels, sums.data());
    in += area * channels;
    for (const double sum : sums) *out++ = static_cast<float>(sum / static_cast<double>(area));
  }
  return y;
}

class SpatialMean final : public Kernel {
 public:
  explicit SpatialMean(const Node& node)
      : reduce_(node.is("ReduceMean")),
        keep_(!reduce_ || node.attr_int("keepdims", 1) != 0),
        axes_(node, "axes", 1),
        reference_(node, {}) {}

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.layout() != Layout::channels_last || x.dtype() != DType::f32 || !over_pixels(context))
      return reference_.run(context);
    Shape shape{x.dim(0), x.dim(1)};
    if (keep_) shape.resize(x.shape().size(), 1);
    context.set_output(0, spatial_mean(x, std::move(shape)));
  }

 private:
  bool over_pixels(const KernelContext& context) const {
    if (!reduce_) return true;
    auto axes = normalized_axes(axes_.get(context).value_or(std::vector<std::int64_t>{}),
                                context.input(0).rank());
    std::ranges::sort(axes);
    std::vector<std::int64_t> spatial(context.input(0).shape().size() - 2);
    std::iota(spatial.begin(), spatial.end(), 2);
    return axes == spatial;
  }

  bool reduce_, keep_;
  IntsArgument axes_;
  FusedReference reference_;
};

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<SpatialMean>(node); }

}  // namespace

void register_vector_spatial_mean(Registry& registry) {
  registry.add({.op = "GlobalAveragePool", .impl = "vector", .priority = 10, .make = make});
  registry.add({.op = "ReduceMean", .impl = "vector", .priority = 10, .make = make});
}

}  // namespace intaglio
