// com.microsoft.QLinearGlobalAveragePool and QLinearAveragePool (1) on 8-bit codes. Inputs: X,
// scale, zero point, and scale and zero point of the result.
//
//   Global: y = saturate(round(sum of (x - x_zero) * (x_scale / (y_scale * area))) + y_zero)
//   Window: the mean of the dequantized values in float, then
//           y = saturate(round(mean / y_scale + y_zero)), the zero point added before rounding
#include <algorithm>
#include <cmath>

#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Refusal refuse_channels_last(const Node& node) {
  if (node.attr_int("channels_last", 0) == 0) return std::nullopt;
  return "channels_last=1";
}

// The pixels of a channels-last image one after the other.
template <typename T>
void add_pixels(const T* from, std::int64_t area, std::span<std::int32_t> sums) {
  for (std::int64_t i = 0; i < area; ++i, from += sums.size())
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += from[c];
}

Tensor channel_sums(const Tensor& x, std::int32_t zero) {
  if (x.rank() < 2)
    throw Error(Code::model, "input of shape " + to_string(x.shape()) + " has no channels");
  Shape shape(x.shape().size(), 1);
  std::copy_n(x.shape().begin(), 2, shape.begin());
  Tensor sums(DType::s32, shape);
  const std::int64_t area = product(x.shape(), 2, x.shape().size());
  visit_codes(x.dtype(), [&](auto code) {
    const auto* from = x.data<decltype(code)>().data();
    if (x.layout() == Layout::channels_last) {
      const auto channels = static_cast<std::size_t>(x.dim(1));
      const auto all = sums.mutate<std::int32_t>();
      std::ranges::fill(all, -zero * static_cast<std::int32_t>(area));
      for (std::size_t n = 0; n < all.size(); n += channels, from += area * x.dim(1))
        add_pixels(from, area, all.subspan(n, channels));
      return;
    }
    for (std::int32_t& sum : sums.mutate<std::int32_t>()) {
      sum = -zero * static_cast<std::int32_t>(area);
      for (std::int64_t i = 0; i < area; ++i) sum += from[i];
      from += area;
    }
  });
  return sums;
}

std::unique_ptr<Kernel> make_global(const Node&) {
  return make_kernel(
      [](KernelContext& c) {
        const Tensor& x = c.input(0);
        const CodeParams from = code_params(c, 1), to = code_params(c, 3);
        const Tensor sums = channel_sums(x, from.zero);
        const auto area = static_cast<float>(product(x.shape(), 2, x.shape().size()));
        const Tensor multiplier = Tensor::scalar(from.scale / (to.scale * area));
        c.set_output(0, requantize(sums, multiplier, Tensor::scalar(to.zero),
                                   ScaleMap(sums.shape(), {}, 0, 0), x.dtype()));
      },
      Layouts::any);
}

// y = saturate(round(mean / scale + zero))
Tensor quantize_means(const Tensor& means, CodeParams to, DType type) {
  Tensor y(type, means.shape());
  const CodeRange range = code_range(type);
  visit_codes(type, [&](auto zero) {
    using T = decltype(zero);
    std::ranges::transform(means.data<float>(), y.mutate<T>().begin(), [&](float mean) {
      const float code = std::nearbyint(mean / to.scale + static_cast<float>(to.zero));
      return static_cast<T>(
          std::clamp(code, static_cast<float>(range.lo), static_cast<float>(range.hi)));
    });
  });
  return y;
}

// The attributes are those of AveragePool, whose kernel makes the means.
std::unique_ptr<Kernel> make_average(const Node& node) {
  const auto& all = default_registry().all();
  const auto def = std::ranges::find_if(
      all, [](const KernelDef& d) { return d.op == "AveragePool" && d.impl == "ref"; });
  std::shared_ptr<const Kernel> pool = def->make(node);
  return make_kernel([pool](KernelContext& c) {
    const CodeParams from = code_params(c, 1);
    const DType type = c.input(0).dtype();
    require_codes(type);
    Tensor x = centred(c.input(0), from.zero);
    for (float& v : x.mutate<float>()) v *= from.scale;
    const Tensor* input = &x;
    Tensor means;
    KernelContext inner(c.node(), {&input, 1}, {&means, 1});
    pool->run(inner);
    c.set_output(0, quantize_means(means, code_params(c, 3), type));
  });
}

}  // namespace

void register_qlinear_pool(Registry& registry) {
  registry.add({.op = "QLinearGlobalAveragePool",
                .domain = "com.microsoft",
                .refuse = refuse_channels_last,
                .make = make_global,
                .infer = rules::global_pool});
  registry.add({.op = "QLinearAveragePool",
                .domain = "com.microsoft",
                .refuse = refuse_channels_last,
                .make = make_average,
                .infer = rules::pool});
}

}  // namespace intaglio
