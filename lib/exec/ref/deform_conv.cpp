// DeformConv (opset 19), two spatial axes: a convolution whose every tap is moved by an offset and
// scaled by a mask ("Deformable ConvNets v2", Zhu et al. 2019). Samples are bilinear, zero outside.
#include <fmt/format.h>

#include <cmath>

#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/exec/window.h"

namespace intaglio {
namespace {

struct DeformPlan {
  Window window;
  std::int64_t groups, offset_groups, taps, positions;
};

float bilinear(const float* image, std::int64_t height, std::int64_t width, float y, float x) {
  if (!(y > -1 && y < static_cast<float>(height) && x > -1 && x < static_cast<float>(width)))
    return 0;
  const float top = std::floor(y), left = std::floor(x);
  const auto h = static_cast<std::int64_t>(top), w = static_cast<std::int64_t>(left);
  const auto at = [&](std::int64_t i, std::int64_t j) {
    return i >= 0 && i < height && j >= 0 && j < width ? image[i * width + j] : 0.0f;
  };
  const float below = y - top, right = x - left;
  return (1 - below) * ((1 - right) * at(h, w) + right * at(h, w + 1)) +
         below * ((1 - right) * at(h + 1, w) + right * at(h + 1, w + 1));
}

// The columns of one channel: for every tap and position the sampled value.
void sample(const float* image, const float* offsets, const float* mask, const DeformPlan& plan,
            float* column) {
  const Window& w = plan.window;
  for (std::int64_t t = 0; t < plan.taps; ++t)
    for (std::int64_t p = 0; p < plan.positions; ++p) {
      const std::int64_t i = p / w.output[1], j = p % w.output[1];
      const std::int64_t y = i * w.strides[0] - w.begin[0] + t / w.kernel[1] * w.dilations[0];
      const std::int64_t x = j * w.strides[1] - w.begin[1] + t % w.kernel[1] * w.dilations[1];
      const float value =
          bilinear(image, w.input[0], w.input[1],
                   static_cast<float>(y) + offsets[2 * t * plan.positions + p],
                   static_cast<float>(x) + offsets[(2 * t + 1) * plan.positions + p]);
      *column++ = mask != nullptr ? value * mask[t * plan.positions + p] : value;
    }
}

struct DeformInputs {
  Tensor x, w, offset;
  std::optional<Tensor> bias, mask;
};

Tensor deform_conv(const DeformInputs& in, const DeformPlan& plan) {
  const std::int64_t channels = in.x.dim(1), makes = in.w.dim(0), own = in.w.dim(1);
  const std::int64_t pixels = plan.window.input[0] * plan.window.input[1];
  const std::int64_t column = plan.taps * plan.positions,
                     per_offset = channels / plan.offset_groups;
  Tensor y(DType::f32, {in.x.dim(0), makes, plan.window.output[0], plan.window.output[1]});
  if (y.size() == 0) return y;
  float* out = y.mutate<float>().data();
  std::vector<float> columns(static_cast<std::size_t>(channels * column));
  for (std::int64_t n = 0; n < in.x.dim(0); ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t g = n * plan.offset_groups + c / per_offset;
      sample(in.x.data<float>().data() + (n * channels + c) * pixels,
             in.offset.data<float>().data() + g * 2 * column,
             in.mask ? in.mask->data<float>().data() + g * column : nullptr, plan,
             columns.data() + c * column);
    }
    for (std::int64_t m = 0; m < makes; ++m) {
      const float* weights = in.w.data<float>().data() + m * own * plan.taps;
      const float* from = columns.data() + m / (makes / plan.groups) * own * column;
      for (std::int64_t p = 0; p < plan.positions; ++p) {
        double sum = in.bias
                         ? static_cast<double>(in.bias->data<float>()[static_cast<std::size_t>(m)])
                         : 0.0;
        for (std::int64_t k = 0; k < own * plan.taps; ++k)
          sum +=
              static_cast<double>(weights[k]) * static_cast<double>(from[k * plan.positions + p]);
        *out++ = static_cast<float>(sum);
      }
    }
  }
  return y;
}

void check(const DeformInputs& in, const DeformPlan& plan) {
  const std::int64_t n = in.x.dim(0), c = in.x.dim(1), makes = in.w.dim(0);
  const Shape& o = plan.window.output;
  const std::int64_t taps = plan.offset_groups * plan.taps;
  if (plan.groups < 1 || plan.offset_groups < 1 || c % plan.offset_groups != 0 ||
      makes % plan.groups != 0 || in.w.dim(1) * plan.groups != c ||
      in.offset.shape() != Shape{n, 2 * taps, o[0], o[1]} ||
      (in.mask && in.mask->shape() != Shape{n, taps, o[0], o[1]}) ||
      (in.bias && in.bias->shape() != Shape{makes}))
    throw Error(Code::model, fmt::format("weights {}, offsets {} or groups {} and {} do not fit",
                                         to_string(in.w.shape()), to_string(in.offset.shape()),
                                         plan.groups, plan.offset_groups));
}

std::unique_ptr<Kernel> make_deform_conv(const Node& node) {
  return make_kernel([attrs = read_window(node), groups = node.attr_int("group", 1),
                      offset_groups = node.attr_int("offset_group", 1)](KernelContext& c) {
    DeformInputs in{as_float(c.input(0)), as_float(c.input(1)), as_float(c.input(2)), {}, {}};
    if (c.optional(3) != nullptr) in.bias = as_float(*c.optional(3));
    if (c.optional(4) != nullptr) in.mask = as_float(*c.optional(4));
    if (in.x.rank() != 4 || in.w.rank() != 4)
      throw Error(Code::unsupported, "deformable convolution of other than two spatial axes");
    const auto spatial = [](const Tensor& t) { return std::span(t.shape()).subspan(2); };
    DeformPlan plan{place_window(attrs, spatial(in.x), spatial(in.w)), groups, offset_groups, 0, 0};
    plan.taps = element_count(plan.window.kernel);
    plan.positions = element_count(plan.window.output);
    check(in, plan);
    set_float_output(c, 0, deform_conv(in, plan), c.input(0).dtype());
  });
}

}  // namespace

void register_deform_conv(Registry& registry) {
  registry.add(
      {.op = "DeformConv", .since = 19, .make = make_deform_conv, .infer = rules::convolution});
}

}  // namespace intaglio
