#include "lib/exec/executor.h"

namespace intaglio {

Stepper::Stepper(const Executor& executor, std::span<const Tensor> feeds)
    : executor_(executor), slots_(executor.program().values.size()) {
  const Program& program = executor.program();
  for (const auto& [slot, tensor] : program.constants) value(slot) = tensor;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    executor.check_feed(*program.values[static_cast<std::size_t>(program.feeds[i])], feeds[i]);
    value(program.feeds[i]) = feeds[i];
  }
}

void Stepper::run(const Step& step) { executor_.run_step(step, slots_); }

void Stepper::forget(const Step& step) {
  for (const int slot : step.dies) value(slot) = Tensor();
}

}  // namespace intaglio
