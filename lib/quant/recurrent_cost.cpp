#include "lib/quant/recurrent_cost.h"

#include <fmt/format.h>

namespace intaglio {
namespace {

// An axis of the data, which is (steps, batch, width), or (batch, steps, width) with layout 1; 0:
// not known.
std::int64_t length(const Node& node, bool batch) {
  const auto& dims = node.input(0)->dims();
  if (!dims || dims->size() != 3) return 0;
  const Dim& dim = (*dims)[batch != (node.attr_int("layout", 0) != 0) ? 1 : 0];
  return dim.known() ? dim.value : 0;
}

}  // namespace

std::string warning_of_recurrence(const Node& node) {
  constexpr std::int64_t many_steps = 50, many_sequences = 32;
  const std::int64_t steps = length(node, false), batch = length(node, true);
  if (batch >= many_sequences || (batch == 1 && steps >= many_steps)) return {};
  return fmt::format(
      "{}: onnxruntime dequantizes its weights in every run: 1.1 times the time of floats for one "
      "sequence of 60 steps, up to 2.5 times for shorter ones and batches of 2 to 16. Where time "
      "matters more than size: {}`exclude-op` {}",
      node.label(), node.is("LSTM") ? "`format qoperator` `contrib`, faster than floats, or " : "",
      node.op());
}

}  // namespace intaglio
