#include "lib/quant/scheme.h"

#include <fmt/format.h>

namespace intaglio {

Levels levels_of(const Scheme& scheme) {
  const int bits = static_cast<int>(bits_of(scheme.type));
  switch (scheme.type) {
    case DType::u8:
    case DType::u16:
    case DType::u4:
    case DType::u2:
      return {0, (1 << (scheme.reduce_range ? bits - 1 : bits)) - 1};
    case DType::s8:
    case DType::s16: {
      const std::int32_t half = 1 << (bits - 1);
      const std::int32_t lower = scheme.off_centre && scheme.symmetric ? 1 : 0;
      if (scheme.reduce_range) return {-half / 2 - lower, half / 2 - lower};
      return {(scheme.symmetric ? 1 - half : -half) - lower, half - 1 - lower};
    }
    case DType::s4:
    case DType::s2:
      return {-(1 << (bits - 1)), (1 << (bits - 1)) - 1};
    default:
      throw Error(Code::config, fmt::format("cannot quantize to type '{}'", name_of(scheme.type)),
                  "Use u8, s8, u16 or s16.");
  }
}

std::string to_string(const Scheme& scheme) {
  if (is_float(scheme.type)) return std::string(name_of(scheme.type));
  if (scheme.group > 0)
    return fmt::format("{} in groups of {} (axis {}) {}", name_of(scheme.type), scheme.group,
                       scheme.axis.value_or(0), scheme.symmetric ? "symmetric" : "asymmetric");
  return fmt::format(
      "{} {} {}{}", name_of(scheme.type),
      scheme.axis ? fmt::format("per-channel (axis {})", *scheme.axis) : "per-tensor",
      scheme.symmetric ? "symmetric" : "asymmetric",
      (scheme.reduce_range ? std::string(" reduced") : "") +
          (scheme.off_centre ? " off centre" : ""));
}

}  // namespace intaglio
