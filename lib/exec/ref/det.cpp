// Det (opset 11): determinants of square matrices, by elimination with partial pivoting.
#include <algorithm>
#include <cmath>

#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

double determinant(std::vector<double> m, std::size_t n) {
  double result = 1;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(m[i * n + k]) > std::abs(m[pivot * n + k])) pivot = i;
    if (m[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      for (std::size_t j = 0; j < n; ++j) std::swap(m[k * n + j], m[pivot * n + j]);
      result = -result;
    }
    result *= m[k * n + k];
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = m[i * n + k] / m[k * n + k];
      for (std::size_t j = k; j < n; ++j) m[i * n + j] -= factor * m[k * n + j];
    }
  }
  return result;
}

std::unique_ptr<Kernel> make_det(const Node&) {
  return make_kernel([](KernelContext& c) {
    const Tensor x = as_precise<double>(c.input(0));
    if (x.rank() < 2 || x.shape().back() != x.shape().end()[-2])
      throw Error(Code::model, "no square matrices in shape " + to_string(x.shape()));
    const auto n = static_cast<std::size_t>(x.shape().back());
    Tensor result(DType::f64, Shape(x.shape().begin(), x.shape().end() - 2));
    const double* from = x.data<double>().data();
    for (double& value : result.mutate<double>()) {
      value = determinant(std::vector<double>(from, from + n * n), n);
      from += n * n;
    }
    set_float_output(c, 0, std::move(result), c.input(0).dtype());
  });
}

void infer_det(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (c.dims(0) && c.dims(0)->size() >= 2)
    c.set(0, c.dtype(0), Dims(c.dims(0)->begin(), c.dims(0)->end() - 2));
}

}  // namespace

void register_det(Registry& registry) {
  registry.add({.op = "Det", .since = 11, .make = make_det, .infer = infer_det});
}

}  // namespace intaglio
