// GRU (opset 1, 3, 7, 14, 22) and RNN (opset 1, 7, 14, 22). Gates of GRU in the order z, r, h.
#include <memory>
#include <vector>

#include "lib/exec/ops/recurrent.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

class GruCell {
 public:
  // linear_before_reset: the reset gate applies to the product h R^T, not to h.
  GruCell(const CellWeights& weights, std::int64_t hidden, bool linear_before_reset)
      : weights_(weights),
        bias_(weights.recurrent_bias != nullptr ? weights.recurrent_bias + 2 * hidden : nullptr) {
    if (!linear_before_reset)
      recurrent_ = std::make_shared<PackedRight>(
          MatrixRef{weights.r + 2 * hidden * hidden, hidden, hidden, 1, hidden});
  }

  void operator()(const CellStep& s) const {
    const std::int64_t n = s.hidden;
    const auto size = static_cast<std::size_t>(n);
    const auto &f = weights_.f[0], &g = weights_.f[1];
    std::vector<float> reset(size), product(size);
    for (std::int64_t j = 0; j < n; ++j)
      reset[static_cast<std::size_t>(j)] = f(s.input[n + j] + s.recurrent[n + j]);
    if (recurrent_) {
      for (std::int64_t j = 0; j < n; ++j) reset[static_cast<std::size_t>(j)] *= s.h[j];
      gemm(PackedLeft({reset.data(), 1, n, n, 1}), *recurrent_, {.c = product.data(), .ldc = n});
      for (std::int64_t j = 0; bias_ != nullptr && j < n; ++j)
        product[static_cast<std::size_t>(j)] += bias_[j];
    } else {
      for (std::size_t j = 0; j < size; ++j) product[j] = reset[j] * s.recurrent[2 * size + j];
    }
    for (std::int64_t j = 0; j < n; ++j) {
      const float update = f(s.input[j] + s.recurrent[j]);
      const float fresh = g(s.input[2 * n + j] + product[static_cast<std::size_t>(j)]);
      s.h[j] = (1 - update) * fresh + update * s.h[j];
    }
  }

 private:
  CellWeights weights_;
  const float* bias_;  // Rb of the gate h
  std::shared_ptr<const PackedRight> recurrent_;
};

std::unique_ptr<Kernel> make_gru(const Node& node) {
  const bool linear = node.attr_int("linear_before_reset", 0) != 0;
  return make_kernel(
      [recurrence = Recurrence(node, 3, {"Sigmoid", "Tanh"}), linear](KernelContext& context) {
        recurrence.run(context, [linear](const CellWeights& weights, std::int64_t hidden) -> Cell {
          return GruCell(weights, hidden, linear);
        });
      });
}

std::unique_ptr<Kernel> make_rnn(const Node& node) {
  return make_kernel([recurrence = Recurrence(node, 1, {"Tanh"})](KernelContext& context) {
    recurrence.run(context, [](const CellWeights& weights, std::int64_t) -> Cell {
      return [f = weights.f[0]](const CellStep& s) {
        for (std::int64_t j = 0; j < s.hidden; ++j) s.h[j] = f(s.input[j] + s.recurrent[j]);
      };
    });
  });
}

}  // namespace

void register_gru(Registry& registry) {
  registry.add({.op = "GRU", .make = make_gru, .infer = rules::recurrent});
  registry.add({.op = "RNN", .make = make_rnn, .infer = rules::recurrent});
}

}  // namespace intaglio
