// MeanVarianceNormalization (opset 9, 13): (x - mean) / (sqrt(variance) + 1e-9) over the given
// axes.
#include <cmath>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/moments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/window.h"

namespace intaglio {
namespace {

// Offsets of all positions over `lengths` under `strides`.
std::vector<std::size_t> offsets(const Shape& lengths, const Shape& strides) {
  std::vector<std::size_t> result;
  Shape at(lengths.size(), 0);
  do {
    std::int64_t offset = 0;
    for (std::size_t a = 0; a < at.size(); ++a) offset += at[a] * strides[a];
    result.push_back(static_cast<std::size_t>(offset));
  } while (next_position(at, lengths));
  return result;
}

std::unique_ptr<Kernel> make_mean_variance_normalization(const Node& node) {
  std::vector<std::int64_t> axes = node.attr_ints("axes");
  if (!node.has("axes")) axes = {0, 2, 3};
  return make_kernel([axes](KernelContext& context) {
    const Tensor x = as_float(context.input(0));
    Tensor y(DType::f32, x.shape());
    if (y.size() > 0) {
      const Shape strides = strides_of(x.shape());
      Shape kept = x.shape(), reduced(x.shape().size(), 1);
      for (const std::int64_t axis : normalized_axes(axes, x.rank()))
        std::swap(kept[static_cast<std::size_t>(axis)], reduced[static_cast<std::size_t>(axis)]);
      const auto inner = offsets(reduced, strides);
      std::vector<float> group(inner.size());
      for (const std::size_t first : offsets(kept, strides)) {
        for (std::size_t i = 0; i < inner.size(); ++i) group[i] = x.data<float>()[first + inner[i]];
        const auto [mean, variance] = moments_of(group);
        const double inverse = 1 / (std::sqrt(variance) + 1e-9);
        float* out = y.mutate<float>().data() + first;
        for (std::size_t i = 0; i < inner.size(); ++i)
          out[inner[i]] = static_cast<float>((static_cast<double>(group[i]) - mean) * inverse);
      }
    }
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

}  // namespace

void register_mean_variance_normalization(Registry& registry) {
  registry.add({.op = "MeanVarianceNormalization",
                .since = 9,
                .make = make_mean_variance_normalization,
                .infer = rules::like});
}

}  // namespace intaglio
