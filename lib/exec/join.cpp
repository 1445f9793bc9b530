#include "lib/exec/join.h"

namespace intaglio {

JoinedValues joined_values(const Node& concat, const std::function<bool(const Value&)>& observed,
                           const std::function<bool(const Value&)>& slices) {
  if (!concat.is("Concat") || concat.outputs().size() != 1 || observed(*concat.output(0)))
    return {};
  if (concat.attr_int("axis", 1) != 1) return {};
  JoinedValues joined;
  std::int64_t total = 0;
  for (const Value* value : concat.inputs()) {
    if (value == nullptr || value->rank() != 4 || !(*value->dims())[1].known()) return {};
    if (value->uses().size() != 1 || value->is_output() || value->dtype() != DType::f32 ||
        &value->graph() != &concat.graph() || observed(*value) || !slices(*value))
      return {};
    joined[value] = {concat.output(0), {total, 0}};
    total += (*value->dims())[1].value;
  }
  for (auto& [value, part] : joined) part.slice.total = total;
  return joined;
}

}  // namespace intaglio
