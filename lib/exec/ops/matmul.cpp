#include "lib/exec/ops/matmul.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "lib/exec/window.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

// The offsets of the matrices of a stack of shape `own`, read under the broadcast shape `stack`.
std::vector<std::int64_t> offsets(const Shape& own, const Shape& stack, std::int64_t matrix) {
  const Shape strides = broadcast_strides(own, stack);
  std::vector<std::int64_t> result;
  if (element_count(stack) == 0) return result;
  Shape at(stack.size(), 0);
  do {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) offset += at[axis] * strides[axis];
    result.push_back(offset * matrix);
  } while (next_position(at, stack));
  return result;
}

// y = block, or y += block
void add_block(const std::vector<float>& block, std::int32_t* y, bool first) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    const auto sum = static_cast<std::int32_t>(block[i]);
    y[i] = first ? sum : wrapping_add(y[i], sum);
  }
}

}  // namespace

MatMulPlan plan_matmul(const Shape& a, const Shape& b) {
  const auto fail = [&] {
    return Error(Code::model, fmt::format("matrices of shapes {} and {} do not multiply",
                                          to_string(a), to_string(b)));
  };
  if (a.empty() || b.empty()) throw fail();
  Shape left = a, right = b;
  if (left.size() == 1) left.insert(left.begin(), 1);
  if (right.size() == 1) right.push_back(1);
  MatMulPlan plan{.m = left[left.size() - 2],
                  .k = left.back(),
                  .n = right.back(),
                  .output = {},
                  .products = {}};
  if (right[right.size() - 2] != plan.k) throw fail();
  left.resize(left.size() - 2);
  right.resize(right.size() - 2);
  plan.output = broadcast_shapes(left, right);

  if (right.empty()) {
    plan.products = {{0, 0}};
  } else {
    const auto at_a = offsets(left, plan.output, plan.m * plan.k);
    const auto at_b = offsets(right, plan.output, plan.k * plan.n);
    for (std::size_t i = 0; i < at_a.size(); ++i) plan.products.emplace_back(at_a[i], at_b[i]);
  }
  if (a.size() > 1) plan.output.push_back(plan.m);
  if (b.size() > 1) plan.output.push_back(plan.n);
  if (right.empty()) plan.m *= element_count(left);
  return plan;
}

void matmul(const MatMulPlan& plan, const float* a, const float* b, float* y,
            const PackedRight* packed) {
  std::optional<PackedRight> own;
  std::int64_t packed_at = -1;
  for (const auto& [at_a, at_b] : plan.products) {
    if (packed == nullptr && at_b != packed_at) {
      own.emplace(MatrixRef{b + at_b, plan.k, plan.n, plan.n, 1});
      packed_at = at_b;
    }
    gemm(PackedLeft({a + at_a, plan.m, plan.k, plan.k, 1}), packed != nullptr ? *packed : *own,
         {.c = y, .ldc = plan.n});
    y += plan.m * plan.n;
  }
}

void matmul_exact(const MatMulPlan& plan, const float* a, const float* b, std::int32_t* y) {
  std::vector<float> block(static_cast<std::size_t>(plan.m * plan.n));
  for (const auto& [at_a, at_b] : plan.products) {
    const PackedLeft left({a + at_a, plan.m, plan.k, plan.k, 1});
    const PackedRight right({b + at_b, plan.k, plan.n, plan.n, 1});
    std::int64_t k = 0;
    do {
      gemm(left, right,
           {.c = block.data(),
            .ldc = plan.n,
            .first = k,
            .last = std::min(k + block_depth, plan.k)});
      add_block(block, y, k == 0);
      k += block_depth;
    } while (k < plan.k);
    y += plan.m * plan.n;
  }
}

}  // namespace intaglio
