// LSTM (opset 1, 7, 14, 22).
#include "lib/exec/ops/lstm_cell.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_lstm(const Node& node) {
  return make_kernel(
      [recurrence = Recurrence(node, 4, {"Sigmoid", "Tanh", "Tanh"}),
       cell = lstm_cell(node)](KernelContext& context) { recurrence.run(context, cell); });
}

}  // namespace

void register_lstm(Registry& registry) {
  registry.add({.op = "LSTM", .make = make_lstm, .infer = rules::recurrent});
}

}  // namespace intaglio
