// Gemm (opset 1, 6, 7, 9, 11, 13): alpha * A' * B' + beta * C, where A' and B' may be transposed
// and C broadcasts to the product. A constant B is packed once.
#include <fmt/format.h>

#include "lib/exec/elementwise.h"
#include "lib/exec/float_io.h"
#include "lib/exec/gemm.h"
#include "lib/exec/registry.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

struct Attrs {
  bool transpose_a, transpose_b;
  float alpha, beta;
};

MatrixRef matrix(const Tensor& t, bool transpose) {
  if (t.rank() != 2)
    throw Error(Code::model, "operand of shape " + to_string(t.shape()) + " is not a matrix");
  const float* data = t.data<float>().data();
  return transpose ? MatrixRef{data, t.dim(1), t.dim(0), 1, t.dim(1)}
                   : MatrixRef{data, t.dim(0), t.dim(1), t.dim(1), 1};
}

// y = alpha * y + beta * c
void add_scaled(Tensor& y, const Attrs& attrs, const Tensor* c) {
  const std::int64_t rows = y.dim(0), columns = y.dim(1);
  float* out = y.mutate<float>().data();
  if (attrs.alpha != 1.0f)
    for (float& v : y.mutate<float>()) v *= attrs.alpha;
  if (c == nullptr || attrs.beta == 0.0f) return;
  if (broadcast_shapes(c->shape(), y.shape()) != y.shape())
    throw Error(Code::model, fmt::format("C of shape {} does not broadcast to {}",
                                         to_string(c->shape()), to_string(y.shape())));
  const Tensor values = as_float(*c);
  const Shape strides = broadcast_strides(values.shape(), y.shape());
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* from = values.data<float>().data() + i * strides[0];
    for (std::int64_t j = 0; j < columns; ++j) *out++ += attrs.beta * from[j * strides[1]];
  }
}

std::unique_ptr<Kernel> make_gemm(const Node& node) {
  const Attrs attrs{node.attr_int("transA", 0) != 0, node.attr_int("transB", 0) != 0,
                    node.attr_float("alpha", 1.0f), node.attr_float("beta", 1.0f)};
  std::shared_ptr<const PackedRight> packed;
  if (const Value* b = node.input(1);
      b != nullptr && b->is_constant() && is_float(b->constant().dtype()))
    packed = std::make_shared<PackedRight>(matrix(as_float(b->constant()), attrs.transpose_b));
  return make_kernel([attrs, packed](KernelContext& context) {
    const DType type = context.input(0).dtype();
    if (type == DType::f64 || !is_float(type)) refuse_type(type);
    const Tensor a = as_float(context.input(0));
    const MatrixRef left = matrix(a, attrs.transpose_a);
    const PackedRight right =
        packed ? *packed : PackedRight(matrix(as_float(context.input(1)), attrs.transpose_b));
    if (left.columns != right.depth())
      throw Error(Code::model, fmt::format("a {} by {} matrix times a {} by {} one", left.rows,
                                           left.columns, right.depth(), right.columns()));
    Tensor y(DType::f32, {left.rows, right.columns()});
    gemm(PackedLeft(left), right, {.c = y.mutate<float>().data(), .ldc = right.columns()});
    add_scaled(y, attrs, context.optional(2));
    set_float_output(context, 0, std::move(y), type);
  });
}

}  // namespace

void register_gemm(Registry& registry) { registry.add({.op = "Gemm", .make = make_gemm}); }

}  // namespace intaglio
