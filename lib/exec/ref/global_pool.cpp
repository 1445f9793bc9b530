// GlobalAveragePool, GlobalMaxPool (opset 1, 22) and GlobalLpPool (opset 1, 2): one value per
// channel.
#include <cmath>
#include <limits>

#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// y[n, c, 1...] = reduce(the elements of that channel)
template <typename F>
std::unique_ptr<Kernel> make_global(F reduce) {
  return make_kernel([reduce](KernelContext& context) {
    const Tensor x = as_float(context.input(0));
    if (x.rank() < 2)
      throw Error(Code::model, "input of shape " + to_string(x.shape()) + " has no channels");
    Shape shape(x.shape().size(), 1);
    std::copy_n(x.shape().begin(), 2, shape.begin());
    Tensor y(DType::f32, shape);
    const auto area = static_cast<std::size_t>(product(x.shape(), 2, x.shape().size()));
    std::size_t at = 0;
    for (float& v : y.mutate<float>()) {
      v = reduce(x.data<float>().subspan(at, area));
      at += area;
    }
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

std::unique_ptr<Kernel> make_average(const Node&) {
  return make_global([](std::span<const float> values) {
    double sum = 0;
    for (const float v : values) sum += static_cast<double>(v);
    return static_cast<float>(sum / static_cast<double>(values.size()));
  });
}

std::unique_ptr<Kernel> make_max(const Node&) {
  return make_global([](std::span<const float> values) {
    float most = -std::numeric_limits<float>::infinity();
    for (const float v : values) most = v > most ? v : most;
    return most;
  });
}

std::unique_ptr<Kernel> make_lp(const Node& node) {
  const double p = node.opset() < 2 ? static_cast<double>(node.attr_float("p", 2.0f))
                                    : static_cast<double>(node.attr_int("p", 2));
  return make_global([p](std::span<const float> values) {
    double sum = 0;
    for (const float v : values) sum += std::pow(std::abs(static_cast<double>(v)), p);
    return static_cast<float>(std::pow(sum, 1 / p));
  });
}

}  // namespace

void register_global_pool(Registry& registry) {
  registry.add({.op = "GlobalAveragePool", .make = make_average, .infer = rules::global_pool});
  registry.add({.op = "GlobalMaxPool", .make = make_max, .infer = rules::global_pool});
  registry.add({.op = "GlobalLpPool", .make = make_lp, .infer = rules::global_pool});
}

}  // namespace intaglio
