// LRN (opset 1, 13): y = x / (bias + alpha / size * s)^beta, where s sums the squares over the
// channels from c - floor((size - 1) / 2) to c + ceil((size - 1) / 2).
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/exec/ops/float_io.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_lrn(const Node& node) {
  const std::int64_t size = node.attr_int("size");
  if (size < 1) throw Error(Code::model, "size is " + std::to_string(size));
  const float alpha = node.attr_float("alpha", 1e-4f) / static_cast<float>(size);
  const float beta = node.attr_float("beta", 0.75f), bias = node.attr_float("bias", 1.0f);
  return make_kernel([size, alpha, beta, bias](KernelContext& context) {
    const Tensor x = as_float(context.input(0));
    if (x.rank() < 2)
      throw Error(Code::model, "input of shape " + to_string(x.shape()) + " has no channels");
    Tensor y(DType::f32, x.shape());
    const std::int64_t channels = x.dim(1), area = product(x.shape(), 2, x.shape().size());
    const float* in = x.data<float>().data();
    float* out = y.mutate<float>().data();
    const std::int64_t batch = y.size() == 0 ? 0 : x.dim(0);
    std::vector<float> sums(batch == 0 ? 0 : static_cast<std::size_t>(area));
    for (std::int64_t n = 0; n < batch; ++n, in += channels * area)
      for (std::int64_t c = 0; c < channels; ++c, out += area) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        const std::int64_t stop = std::min(channels, c + size / 2 + 1);
        for (std::int64_t j = std::max<std::int64_t>(0, c - (size - 1) / 2); j < stop; ++j)
          for (std::int64_t i = 0; i < area; ++i)
            sums[static_cast<std::size_t>(i)] += in[j * area + i] * in[j * area + i];
        for (std::int64_t i = 0; i < area; ++i)
          out[i] =
              in[c * area + i] / std::pow(bias + alpha * sums[static_cast<std::size_t>(i)], beta);
      }
    set_float_output(context, 0, std::move(y), context.input(0).dtype());
  });
}

}  // namespace

void register_lrn(Registry& registry) {
  registry.add({.op = "LRN", .make = make_lrn, .infer = rules::like});
}

}  // namespace intaglio
