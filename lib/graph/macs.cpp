#include "lib/graph/macs.h"

#include <algorithm>

namespace intaglio {
namespace {

using Count = std::optional<std::int64_t>;

// Beyond what anything holds or computes; sums of many still fit 64 bits.
constexpr std::int64_t most = std::int64_t{1} << 48;

std::int64_t length(const Dim& dim) { return dim.known() ? dim.value : 1; }

Count product(const Count& a, const Count& b) {
  std::int64_t result = 0;
  if (!a || !b || __builtin_mul_overflow(*a, *b, &result) || result > most) return std::nullopt;
  return result;
}

Count product_of(std::span<const Dim> dims) {
  Count result = 1;
  for (const Dim& dim : dims) result = product(result, length(dim));
  return result;
}

// The weight of a convolution, (M or C, C or M / group, k...): the products for one element.
Count taps(const Value* weight) {
  if (weight == nullptr || !weight->dims() || weight->dims()->empty()) return std::nullopt;
  return product_of(std::span(*weight->dims()).subspan(1));
}

Count last_axis(const Value* value, bool transposed) {
  if (value == nullptr || !value->dims() || value->dims()->empty()) return std::nullopt;
  const Dims& dims = *value->dims();
  if (transposed && dims.size() == 2) return length(dims[0]);
  return length(dims.back());
}

// (sequence * batch) * (W and R): every element of the weights is used once a step.
Count recurrent(const Node& node) {
  const Value *x = node.input(0), *w = node.input(1), *r = node.input(2);
  if (x == nullptr || w == nullptr || r == nullptr || !x->dims() || x->dims()->size() != 3)
    return std::nullopt;
  const Count weights = elements_of(*w), state = elements_of(*r);
  if (!weights || !state) return std::nullopt;
  return product(product_of(std::span(*x->dims()).first(2)), *weights + *state);
}

}  // namespace

Count elements_of(const Value& value) {
  if (value.is_constant()) return value.constant().size();
  return value.dims() ? product_of(*value.dims()) : std::nullopt;
}

Count macs_of(const Node& node) {
  const std::string& op = node.op();
  const Value *x = node.input(0), *y = node.output(0);
  if (op == "LSTM" || op == "GRU" || op == "RNN" || op == "DynamicQuantizeLSTM")
    return recurrent(node);  // which may lack its first output
  if (x == nullptr || y == nullptr) return 0;
  if (op == "Conv" || op == "ConvInteger") return product(elements_of(*y), taps(node.input(1)));
  if (op == "QLinearConv") return product(elements_of(*y), taps(node.input(3)));
  if (op == "ConvTranspose") return product(elements_of(*x), taps(node.input(1)));
  if (op == "MatMul" || op == "MatMulInteger" || op == "QLinearMatMul" ||
      op == "MatMulIntegerToFloat")
    return product(elements_of(*y), last_axis(x, false));
  if (op == "MatMulNBits") return product(elements_of(*y), node.attr_int("K", 0));
  if (op == "Gemm" || op == "QGemm")
    return product(elements_of(*y), last_axis(x, node.attr_int("transA", 0) != 0));
  return 0;
}

}  // namespace intaglio
