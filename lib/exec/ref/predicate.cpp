// IsNaN and IsInf: floats to booleans.
#include <cmath>

#include "lib/exec/ops/elementwise.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_is_nan(const Node&) {
  return make_unary([](const Tensor& x) {
    return visit_float(x.dtype(), [&](auto zero) {
      return map<decltype(zero), bool>(x, [](auto v) { return std::isnan(v); });
    });
  });
}

std::unique_ptr<Kernel> make_is_inf(const Node& node) {
  const bool negative = node.attr_int("detect_negative", 1) != 0;
  const bool positive = node.attr_int("detect_positive", 1) != 0;
  return make_unary([negative, positive](const Tensor& x) {
    return visit_float(x.dtype(), [&](auto zero) {
      return map<decltype(zero), bool>(
          x, [=](auto v) { return std::isinf(v) && (v < 0 ? negative : positive); });
    });
  });
}

}  // namespace

void register_predicate(Registry& registry) {
  registry.add({.op = "IsNaN", .make = make_is_nan, .infer = rules::as<DType::boolean>});
  registry.add({.op = "IsInf", .make = make_is_inf, .infer = rules::as<DType::boolean>});
}

}  // namespace intaglio
