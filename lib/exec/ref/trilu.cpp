// Trilu and EyeLike: matrices and their diagonals.
#include <fmt/format.h>

#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// Column of the k-th diagonal in row r, clamped to [0, columns]; k may be any 64-bit number.
std::int64_t diagonal(std::int64_t r, std::int64_t k, std::int64_t columns) {
  if (k >= columns) return columns;
  return std::clamp<std::int64_t>(r + k, 0, columns);
}

// Keeps what lies on and above (upper) or on and below the k-th diagonal of the last two axes.
std::unique_ptr<Kernel> make_trilu(const Node& node) {
  return make_kernel([upper = node.attr_int("upper", 1) != 0](KernelContext& c) {
    Tensor result = c.input(0);
    if (result.rank() < 2)
      throw Error(Code::model, "shape " + to_string(result.shape()) + " is no matrix");
    const std::int64_t k = c.optional(1) == nullptr ? 0 : c.optional(1)->item<std::int64_t>();
    const Shape& shape = result.shape();
    const std::int64_t rows = shape[shape.size() - 2], columns = shape.back();
    visit_width(result, [&](auto zero) {
      using T = decltype(zero);
      T* row = reinterpret_cast<T*>(result.raw_mutate());
      const std::int64_t all = columns == 0 ? 0 : result.size() / columns;
      for (std::int64_t r = 0; r < all; ++r, row += columns) {
        const std::int64_t kept_from = diagonal(r % rows, k, columns);
        if (upper) {
          std::fill(row, row + kept_from, T{0});
        } else {
          const std::int64_t kept_to = k >= columns ? columns : diagonal(r % rows, k + 1, columns);
          std::fill(row + kept_to, row + columns, T{0});
        }
      }
    });
    c.set_output(0, std::move(result));
  });
}

std::unique_ptr<Kernel> make_eye_like(const Node& node) {
  const auto type = static_cast<DType>(node.attr_int("dtype", 0));
  return make_kernel([type, k = node.attr_int("k", 0)](KernelContext& c) {
    const Tensor& x = c.input(0);
    if (x.rank() != 2) throw Error(Code::model, "shape " + to_string(x.shape()) + " is no matrix");
    const DType wanted = type == DType::undefined ? x.dtype() : type;
    visit_dtype(wanted, [&](auto zero) {
      using T = decltype(zero);
      const auto out = c.output(0, wanted, x.shape()).template mutate<T>();
      std::fill(out.begin(), out.end(), T{});
      const std::int64_t rows = x.dim(0), columns = x.dim(1);
      const std::int64_t first = k < 0 ? (k < -rows ? rows : -k) : 0;
      for (std::int64_t r = first; r < rows && k < columns && r + k < columns; ++r)
        out[static_cast<std::size_t>(r * columns + r + k)] = static_cast<T>(1);
    });
  });
}

void infer_eye_like(RuleContext& c) {
  const auto type = static_cast<DType>(c.node().attr_int("dtype", 0));
  rules::shaped(c, type != DType::undefined ? type : c.dtype(0));
}

}  // namespace

void register_trilu(Registry& registry) {
  registry.add({.op = "Trilu", .since = 14, .make = make_trilu, .infer = rules::like});
  registry.add({.op = "EyeLike", .since = 9, .make = make_eye_like, .infer = infer_eye_like});
}

}  // namespace intaglio
