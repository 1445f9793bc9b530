#include "lib/rewrite/malformed.h"

#include <fmt/format.h>

#include <cmath>

namespace intaglio {

Malformed malformed(const Node& node) {
  const Value *x = node.input(0), *scale = node.input(1), *zero = node.input(2);
  const std::string what = node.label();
  if (x == nullptr || scale == nullptr)
    return {what + ": lacks its data or its scale", "export the model again"};
  if (!scale->is_constant()) return {};
  const auto scales = scale->constant().to_vector<float>();
  for (const float s : scales)
    if (!(s > 0) || std::isinf(s))
      return {fmt::format("{}: a scale is {}", what, s), "calibrate it again"};
  if (zero != nullptr && zero->is_constant() && zero->constant().size() != scale->constant().size())
    return {fmt::format("{}: {} zero points for {} scales", what, zero->constant().size(),
                        scales.size()),
            "give as many of each"};
  if (node.is("DequantizeLinear") && zero != nullptr && zero->is_constant() &&
      x->dtype() != DType::undefined && zero->constant().dtype() != x->dtype())
    return {fmt::format("{}: codes of type {}, zero point of type {}", what, name_of(x->dtype()),
                        name_of(zero->constant().dtype())),
            "give both the same type"};
  if (scales.size() > 1 && x->dims() && node.attr_int("block_size", 0) == 0) {
    std::int64_t axis = node.attr_int("axis", 1);
    if (axis < 0) axis += static_cast<std::int64_t>(x->dims()->size());
    if (axis >= static_cast<std::int64_t>(x->dims()->size()) || axis < 0 ||
        ((*x->dims())[static_cast<std::size_t>(axis)].known() &&
         (*x->dims())[static_cast<std::size_t>(axis)].value !=
             static_cast<std::int64_t>(scales.size())))
      return {fmt::format("{}: {} scales do not fit axis {} of {}", what, scales.size(), axis,
                          to_string(*x->dims())),
              "give one scale, or one for each index of the axis"};
  }
  return {};
}

}  // namespace intaglio
