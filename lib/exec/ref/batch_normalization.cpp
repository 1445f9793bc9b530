// BatchNormalization (opset 1, 6, 7, 9, 14, 15) with given statistics:
// y = scale * (x - mean) / sqrt(variance + epsilon) + bias, by channel, or, with spatial 0 (before
// opset 9), by element of a sample. Training is refused.
#include <fmt/format.h>

#include <cmath>

#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Refusal refuse_training(const Node& node) {
  if (node.attr_int("training_mode", 0) != 0) return "it trains (training_mode is 1)";
  if (node.opset() < 7 && node.attr_int("is_test", 0) == 0) return "it trains (is_test is 0)";
  for (std::size_t i = 1; i < node.outputs().size(); ++i)
    if (node.output(i) != nullptr) return "it makes the statistics of training";
  return std::nullopt;
}

void normalize(const float* x, float* y, std::int64_t count, double factor, double offset) {
  const auto a = static_cast<float>(factor), b = static_cast<float>(offset);
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * a + b;
}

std::unique_ptr<Kernel> make_batch_normalization(const Node& node) {
  const auto epsilon = static_cast<double>(node.attr_float("epsilon", 1e-5f));
  const bool by_channel = node.attr_int("spatial", 1) != 0;
  return make_kernel([epsilon, by_channel](KernelContext& context) {
    const Tensor x = as_float(context.input(0));
    if (x.rank() < 2)
      throw Error(Code::model, "input of shape " + to_string(x.shape()) + " has no channels");
    const std::int64_t sample = product(x.shape(), 1, x.shape().size());
    const std::int64_t parts = by_channel ? x.dim(1) : sample;
    Tensor p[4];  // scale, bias, mean, variance
    for (std::size_t i = 0; i < 4; ++i) {
      p[i] = as_float(context.input(i + 1));
      if (p[i].size() != parts)
        throw Error(Code::model, fmt::format("input {} of shape {} does not fit {} channels", i + 1,
                                             to_string(p[i].shape()), parts));
    }
    Tensor y(DType::f32, x.shape());
    const float* in = x.data<float>().data();
    float* out = y.mutate<float>().data();
    const std::int64_t inner = parts == 0 ? 0 : sample / parts;
    const auto value = [&](std::size_t i, std::int64_t c) {
      return static_cast<double>(p[i].data<float>()[static_cast<std::size_t>(c)]);
    };
    for (std::int64_t n = 0; y.size() > 0 && n < x.dim(0); ++n)
      for (std::int64_t c = 0; c < parts; ++c, in += inner, out += inner) {
        const double factor = value(0, c) / std::sqrt(value(3, c) + epsilon);
        normalize(in, out, inner, factor, value(1, c) - value(2, c) * factor);
      }
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

void infer_batch_normalization(RuleContext& c) {
  rules::like(c);
  for (std::size_t i = 1; i < c.result_count(); ++i) c.set(i, c.dtype(3), c.dims(3));
}

}  // namespace

void register_batch_normalization(Registry& registry) {
  registry.add({.op = "BatchNormalization",
                .refuse = refuse_training,
                .make = make_batch_normalization,
                .infer = infer_batch_normalization});
}

}  // namespace intaglio
