#include "lib/exec/profile.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace intaglio {
namespace {

// Products of one result times the number of results, times two; 0 for operators that only move or
// map values.
double flops_of(const Step& step, const std::vector<Tensor>& slots) {
  const auto shape_at = [&](const std::vector<int>& list, std::size_t i) -> Shape {
    if (i >= list.size() || list[i] < 0) return {};
    return slots[static_cast<std::size_t>(list[i])].shape();
  };
  const auto count = [](const Shape& shape) { return static_cast<double>(element_count(shape)); };
  const Shape x = shape_at(step.inputs, 0);
  Shape y = shape_at(step.outputs, 0);
  const std::string_view op = step.node->op();
  if (op == "Conv" || op == "FusedConv" || op == "ConvInteger" || op == "QLinearConv") {
    const Shape w = shape_at(step.inputs, op == "QLinearConv" ? 3 : 1);
    if (step.slice && !w.empty()) y[1] = w[0];  // the others are made by other steps
    return w.empty() || w[0] == 0 ? 0 : 2 * count(y) * count(w) / static_cast<double>(w[0]);
  }
  if (op == "ConvTranspose") {
    const Shape w = shape_at(step.inputs, 1);
    return w.empty() || w[0] == 0 ? 0 : 2 * count(x) * count(w) / static_cast<double>(w[0]);
  }
  constexpr std::array<std::string_view, 4> products = {"MatMul", "FusedMatMul", "MatMulInteger",
                                                        "QLinearMatMul"};
  if (std::ranges::find(products, op) != products.end())
    return x.empty() ? 0 : 2 * count(y) * static_cast<double>(x.back());
  if (op == "Gemm" && x.size() == 2)
    return 2 * count(y) * static_cast<double>(x[step.node->attr_int("transA", 0) != 0 ? 0 : 1]);
  return 0;
}

}  // namespace

void Profile::begin(const Program& program) {
  if (steps.empty())
    for (const Step& step : program.steps) steps.emplace_back().step = &step;
  ++runs;
  next_ = 0;
  last_ = Clock::now();
}

void Profile::end_of(const Step& step, const std::vector<Tensor>& slots) {
  StepProfile& entry = steps[next_++];
  const auto now = Clock::now();
  entry.seconds += std::chrono::duration<double>(now - last_).count();
  for (const int slot : step.outputs) {
    if (slot < 0) continue;
    const Tensor& y = slots[static_cast<std::size_t>(slot)];
    entry.output = y.shape();
    entry.layout = y.layout();
    break;
  }
  entry.flops = flops_of(step, slots);
  last_ = Clock::now();
}

}  // namespace intaglio
