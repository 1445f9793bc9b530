#include "lib/exec/ops/lstm_cell.h"

namespace intaglio {
namespace {

void lstm_step(const CellStep& s, const CellWeights& weights, bool input_forget) {
  const std::int64_t n = s.hidden;
  const auto &f = weights.f[0], &g = weights.f[1], &h = weights.f[2];
  for (std::int64_t j = 0; j < n; ++j) {
    const auto gate = [&](std::int64_t k) { return s.input[k * n + j] + s.recurrent[k * n + j]; };
    const auto peephole = [&](std::int64_t k) {
      return weights.peepholes != nullptr ? weights.peepholes[k * n + j] * s.c[j] : 0.0f;
    };
    const float in = f(gate(0) + peephole(0));
    const float forget = input_forget ? 1 - in : f(gate(2) + peephole(2));
    s.c[j] = forget * s.c[j] + in * g(gate(3));
    s.h[j] = f(gate(1) + peephole(1)) * h(s.c[j]);  // the output gate sees the new cell state
  }
}

}  // namespace

MakeCell lstm_cell(const Node& node) {
  const bool input_forget = node.attr_int("input_forget", 0) != 0;
  return [input_forget](const CellWeights& weights, std::int64_t) -> Cell {
    return [=](const CellStep& step) { lstm_step(step, weights, input_forget); };
  };
}

}  // namespace intaglio
