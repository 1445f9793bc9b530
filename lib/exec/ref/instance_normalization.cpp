// InstanceNormalization (opset 1, 6, 22) and GroupNormalization (opset 18, 21): every group of
// channels of every sample is normalized with its own mean and variance, then scaled and shifted by
// channel. GroupNormalization of opset 18 has one scale and bias per group; from 21 on one per
// channel.
#include <fmt/format.h>

#include <cmath>

#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/moments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// groups 0: one per channel.
Tensor normalize(const Tensor& x, std::int64_t groups, double epsilon, const Tensor& scale,
                 const Tensor& bias) {
  if (x.rank() < 2)
    throw Error(Code::model, "input of shape " + to_string(x.shape()) + " has no channels");
  const std::int64_t channels = x.dim(1);
  if (groups == 0) groups = channels;
  if (groups < 0 || (groups == 0 ? channels != 0 : channels % groups != 0))
    throw Error(Code::model,
                fmt::format("{} channels do not split into {} groups", channels, groups));
  const bool by_group = scale.size() == groups;
  if ((!by_group && scale.size() != channels) || bias.size() != scale.size())
    throw Error(Code::model,
                fmt::format("scale {} and bias {} do not fit {} channels in {} groups",
                            to_string(scale.shape()), to_string(bias.shape()), channels, groups));
  Tensor y(DType::f32, x.shape());
  if (y.size() == 0) return y;
  const std::int64_t area = product(x.shape(), 2, x.shape().size()), members = channels / groups;
  const float* in = x.data<float>().data();
  float* out = y.mutate<float>().data();
  for (std::int64_t part = 0; part < x.dim(0) * groups; ++part) {
    const auto [mean, variance] = moments_of({in, static_cast<std::size_t>(members * area)});
    const double inverse = 1 / std::sqrt(variance + epsilon);
    for (std::int64_t c = 0; c < members; ++c) {
      const auto at =
          static_cast<std::size_t>(by_group ? part % groups : part % groups * members + c);
      const double a = inverse * static_cast<double>(scale.data<float>()[at]);
      const double b = static_cast<double>(bias.data<float>()[at]) - mean * a;
      for (std::int64_t i = 0; i < area; ++i)
        *out++ = static_cast<float>(static_cast<double>(*in++) * a + b);
    }
  }
  return y;
}

std::unique_ptr<Kernel> make(double epsilon, std::int64_t groups) {
  return make_kernel([epsilon, groups](KernelContext& context) {
    set_float_output(context, 0,
                     normalize(as_float(context.input(0)), groups, epsilon,
                               as_float(context.input(1)), as_float(context.input(2))),
                     context.input(0).dtype());
  });
}

std::unique_ptr<Kernel> make_instance(const Node& node) {
  return make(static_cast<double>(node.attr_float("epsilon", 1e-5f)), 0);
}

std::unique_ptr<Kernel> make_group(const Node& node) {
  const std::int64_t groups = node.attr_int("num_groups");
  if (groups < 1) throw Error(Code::model, fmt::format("num_groups is {}", groups));
  return make(static_cast<double>(node.attr_float("epsilon", 1e-5f)), groups);
}

}  // namespace

void register_instance_normalization(Registry& registry) {
  registry.add({.op = "InstanceNormalization", .make = make_instance, .infer = rules::like});
  registry.add({.op = "GroupNormalization", .since = 18, .make = make_group, .infer = rules::like});
}

}  // namespace intaglio
