// Gemm (opset 1, 6, 7, 9, 11, 13): alpha * A' * B' + beta * C, where A' and B' may be transposed
// and C broadcasts to the product. A constant B is packed once.
#include <fmt/format.h>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/gemm.h"
#include "lib/exec/ops/matmul.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
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

// A matrix that is read in its own order or with its axes exchanged.
template <typename T>
struct PlainMatrix {
  const T* data;
  std::int64_t rows, columns, row_stride, column_stride;

  PlainMatrix(const Tensor& t, bool transpose) : data(t.data<T>().data()) {
    if (t.rank() != 2)
      throw Error(Code::model, "operand of shape " + to_string(t.shape()) + " is not a matrix");
    rows = t.dim(transpose ? 1 : 0);
    columns = t.dim(transpose ? 0 : 1);
    row_stride = transpose ? 1 : t.dim(1);
    column_stride = transpose ? t.dim(1) : 1;
  }
  T at(std::int64_t i, std::int64_t j) const { return data[i * row_stride + j * column_stride]; }
};

template <typename T>
Tensor multiply_plain(const PlainMatrix<T>& a, const PlainMatrix<T>& b) {
  if (a.columns != b.rows)
    throw Error(Code::model, fmt::format("a {} by {} matrix times a {} by {} one", a.rows,
                                         a.columns, b.rows, b.columns));
  Tensor y(dtype_of<T>(), {a.rows, b.columns});
  T* out = y.mutate<T>().data();
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.columns; ++j) {
      T sum{};
      for (std::int64_t k = 0; k < b.rows; ++k) sum = multiply_add(a.at(i, k), b.at(k, j), sum);
      *out++ = sum;
    }
  return y;
}

// The same in the type of the operands, for those that float does not hold.
template <typename T>
Tensor gemm_plain(const KernelContext& context, const Attrs& attrs) {
  const auto scaled = [](const Tensor& t, float by) {
    if (by == 1.0f) return t;
    return map<T>(t, [by](T v) { return static_cast<double>(v) * static_cast<double>(by); });
  };
  const Tensor y = scaled(multiply_plain(PlainMatrix<T>(context.input(0), attrs.transpose_a),
                                         PlainMatrix<T>(context.input(1), attrs.transpose_b)),
                          attrs.alpha);
  if (context.optional(2) == nullptr || attrs.beta == 0.0f) return y;
  const Tensor c = scaled(*context.optional(2), attrs.beta);
  if (broadcast_shapes(c.shape(), y.shape()) != y.shape())
    throw Error(Code::model, fmt::format("C of shape {} does not broadcast to {}",
                                         to_string(c.shape()), to_string(y.shape())));
  return broadcast_map<T>(y, c, [](T v, T w) { return multiply_add(v, T{1}, w); });
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
    if (type == DType::f64) return context.set_output(0, gemm_plain<double>(context, attrs));
    if (!is_float(type))
      return visit_integer(type, [&](auto zero) {
        context.set_output(0, gemm_plain<decltype(zero)>(context, attrs));
      });
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

void infer_gemm(RuleContext& c) { rules::gemm(c, c.dtype(0), 0, 1); }

}  // namespace

void register_gemm(Registry& registry) {
  registry.add({.op = "Gemm", .make = make_gemm, .infer = infer_gemm});
}

}  // namespace intaglio
