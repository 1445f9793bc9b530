// What codes in groups stand for, written apart from what packs them.
#pragma once

#include <vector>

#include "lib/quant/group_codes.h"
#include "lib/tensor/packed.h"

namespace intaglio::testing {

// In the order of (N, K) for outputs_first, (K, N) for inputs_first.
inline std::vector<float> dequantize_groups(const GroupCodes& codes, const Scheme& scheme,
                                            GroupLayout layout, std::int64_t inputs,
                                            std::int64_t outputs) {
  const GroupGrid grid = group_grid(scheme);
  const std::size_t k = static_cast<std::size_t>(inputs), n = static_cast<std::size_t>(outputs),
                    group = static_cast<std::size_t>(scheme.group),
                    groups = (k + group - 1) / group, bits = bits_of(scheme.type);
  const std::vector<float> scales = codes.scales.to_vector<float>();
  const auto code_at = [&](const Tensor& t, std::size_t i) {
    const unsigned mask = (1U << bits) - 1;
    const unsigned raw =
        bits == 8 ? static_cast<unsigned>(t.raw()[i]) : packed_bits(t.raw(), bits, i);
    const auto lowest =
        static_cast<unsigned>(layout == GroupLayout::inputs_first ? grid.lowest : 0);
    return static_cast<float>((raw - lowest) & mask);
  };
  const bool by_output = layout == GroupLayout::outputs_first;
  const std::size_t in_byte = 8 / bits, zero_row = (groups + in_byte - 1) / in_byte * in_byte;
  std::vector<float> values(k * n);
  for (std::size_t o = 0; o < n; ++o)
    for (std::size_t i = 0; i < k; ++i) {
      const std::size_t g = i / group;
      const float code = code_at(codes.codes, by_output ? o * groups * group + i : i * n + o);
      const float zero = codes.zero_points.defined()
                             ? code_at(codes.zero_points, by_output ? o * zero_row + g : g * n + o)
                             : static_cast<float>(grid.zero);
      values[by_output ? o * k + i : i * n + o] =
          scales[by_output ? o * groups + g : g * n + o] * (code - zero);
    }
  return values;
}

}  // namespace intaglio::testing
