// Softmax over the last axis, or over all axes from one on, of f32 values.
#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/fused_reference.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/lanes.h"

namespace intaglio {
namespace {

INTAGLIO_CLONES void softmax_line(const float* x, std::int64_t count, float* y) {
  const std::int64_t whole = count / vector_width * vector_width;
  const float lowest = -std::numeric_limits<float>::infinity();
  Vector16 most = vec::all(lowest);
  for (std::int64_t i = 0; i < whole; i += vector_width) {
    const Vector16 v = vec::load(x + i);
    most = v > most ? v : most;
  }
  const Vector16 tail = vec::load_rest(x + whole, count - whole, lowest);
  most = tail > most ? tail : most;
  const float top = vec::most_across(most);
  Vector16 sum = vec::all(0.0f);
  for (std::int64_t i = 0; i < whole; i += vector_width) {
    const Vector16 e = vec::exp(vec::load(x + i) - top);
    vec::store(y + i, e);
    sum += e;
  }
  float rest[vector_width];
  const Vector16 last = vec::exp(tail - top);  // 0 behind the end
  vec::store(rest, last);
  const float total = vec::sum_across(sum + last);
  const float factor = 1.0f / total;
  for (std::int64_t i = 0; i < whole; i += vector_width)
    vec::store(y + i, vec::load(y + i) * factor);
  for (std::int64_t i = whole; i < count; ++i) y[i] = rest[i - whole] * factor;
}

class Softmax final : public Kernel {
 public:
  explicit Softmax(const Node& node)
      : flatten_(node.opset() < 13),
        axis_(node.attr_int("axis", flatten_ ? 1 : -1)),
        reference_(node, {}) {}

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32 || x.rank() == 0) return reference_.run(context);
    const auto axis = static_cast<std::size_t>(normalized_axis(axis_, x.rank()));
    const std::int64_t behind = product(x.shape(), axis + 1, x.shape().size());
    const std::int64_t length = product(x.shape(), axis, x.shape().size());
    if ((!flatten_ && behind != 1) || length == 0) return reference_.run(context);
    Tensor y(DType::f32, x.shape());
    const float* in = x.data<float>().data();
    float* out = y.mutate<float>().data();
    for (std::int64_t i = 0; i < x.size(); i += length) softmax_line(in + i, length, out + i);
    context.set_output(0, std::move(y));
  }

 private:
  bool flatten_;
  std::int64_t axis_;
  FusedReference reference_;
};

Refusal refuse(const Node& node) {
  const Value* x = node.input(0);
  if (x != nullptr && x->dtype() != DType::undefined && x->dtype() != DType::f32)
    return "input is not f32";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<Softmax>(node); }

}  // namespace

void register_vector_softmax(Registry& registry) {
  registry.add({.op = "Softmax", .impl = "vector", .priority = 10, .refuse = refuse, .make = make});
}

}  // namespace intaglio
