// LayerNormalization (opset 17): normalizes over the axes from `axis` on, then scales and shifts by
// element. Mean and InvStdDev, when wanted, are f32 (stash_type 1).
#include <cmath>

#include "lib/exec/float_io.h"
#include "lib/exec/moments.h"
#include "lib/exec/registry.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

// The values of a parameter of shape broadcastable to `shape`, one per element of it.
std::vector<float> spread(const Tensor& parameter, std::span<const std::int64_t> shape) {
  const Shape whole(shape.begin(), shape.end());
  if (broadcast_shapes(parameter.shape(), whole) != whole)
    throw Error(Code::model, "parameter of shape " + to_string(parameter.shape()) +
                                 " does not broadcast to " + to_string(whole));
  const Shape strides = broadcast_strides(parameter.shape(), whole), own = strides_of(whole);
  std::vector<float> result(static_cast<std::size_t>(element_count(whole)));
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), at = 0;
    for (std::size_t a = 0; a < whole.size(); ++a) {
      at += rest / own[a] * strides[a];
      rest %= own[a];
    }
    result[i] = parameter.data<float>()[static_cast<std::size_t>(at)];
  }
  return result;
}

std::unique_ptr<Kernel> make_layer_normalization(const Node& node) {
  const auto epsilon = static_cast<double>(node.attr_float("epsilon", 1e-5f));
  return make_kernel([epsilon, attr = node.attr_int("axis", -1)](KernelContext& context) {
    const Tensor x = as_float(context.input(0));
    const auto axis = static_cast<std::size_t>(normalized_axis(attr, x.rank()));
    const auto shape = std::span(x.shape()).subspan(axis);
    const std::vector<float> scale = spread(as_float(context.input(1)), shape);
    std::vector<float> bias(scale.size(), 0.0f);
    if (context.optional(2) != nullptr) bias = spread(as_float(*context.optional(2)), shape);

    Shape reduced = x.shape();
    std::fill(reduced.begin() + static_cast<std::ptrdiff_t>(axis), reduced.end(), 1);
    Tensor y(DType::f32, x.shape()), means(DType::f32, reduced), inverses(DType::f32, reduced);
    const auto in = x.data<float>();
    const auto out = y.mutate<float>();
    const auto mean_out = means.mutate<float>(), inverse_out = inverses.mutate<float>();
    for (std::size_t row = 0; row < mean_out.size(); ++row) {
      const std::size_t first = row * scale.size();
      const auto [mean, variance] = moments_of(in.subspan(first, scale.size()));
      const double inverse = 1 / std::sqrt(variance + epsilon);
      mean_out[row] = static_cast<float>(mean);
      inverse_out[row] = static_cast<float>(inverse);
      for (std::size_t i = 0; i < scale.size(); ++i)
        out[first + i] =
            static_cast<float>((static_cast<double>(in[first + i]) - mean) * inverse) * scale[i] +
            bias[i];
    }
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
    if (context.output_count() > 1) context.set_output(1, std::move(means));
    if (context.output_count() > 2) context.set_output(2, std::move(inverses));
  });
}

}  // namespace

void register_layer_normalization(Registry& registry) {
  registry.add({.op = "LayerNormalization", .since = 17, .make = make_layer_normalization});
}

}  // namespace intaglio
