// Weights in groups: neighbours along the axis that is summed over share a scale and, in asymmetric
// schemes, a zero point (block-wise quantization, as MatMulNBits and DequantizeLinear with
// block_size have it). All arithmetic on groups stands here; methods that choose parameters build on
// it (lib/quant/group_method.h).
//
// Outputs are taken 64 at a time, side by side: one instruction serves many of them, and none waits
// for another. A panel is a list of rows; row k holds the weights with which input k goes into these
// outputs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "lib/quant/scheme.h"

namespace intaglio {

inline constexpr std::size_t panel_width = 64;
struct alignas(64) PanelRow : std::array<float, panel_width> {};
struct alignas(64) PanelCodes : std::array<std::uint8_t, panel_width> {};

// The codes that a group may use, counted from 0: stored types add `lowest`.
struct GroupGrid {
  int steps = 15;       // codes 0..steps
  int zero = 8;         // the code of zero, where it is not chosen
  bool chooses = true;  // whether each group chooses its zero point (asymmetric)
  std::int32_t lowest = 0;
  float least_scale = 0x1p-126F;  // that scales of the weights' type can hold
};
// u4 0..15, zero chosen; s4 the same codes, zero 8, lowest -8; and so on for 2 and 8 bits.
// Throws Code::config for a type that has no groups.
GroupGrid group_grid(const Scheme& scheme);

// weight = scale * (code - zero), for one group of each output of a panel; zeros are whole numbers.
struct GroupParams {
  PanelRow scale, zero;
};

// The range of each group, zero included:
//   lo = min(w, 0), hi = max(w, 0)
struct GroupRange {
  PanelRow lo, hi;
};
GroupRange group_range(std::span<const PanelRow> w);

// Parameters that cover a range, whose ends are first multiplied by the factors (1: all of it):
//   asymmetric: scale = (hi - lo) / steps, zero = round(-lo / scale)
//   symmetric:  scale = max(-lo / zero, hi / (steps - zero))
// A group of zeros, or one whose scale would be less than the least, gets 2^-24 or the least: runtimes
// that round what it is multiplied with make noise of the size of a scale.
GroupParams cover(const GroupRange& range, const GroupGrid& grid, float shrink_lo = 1,
                  float shrink_hi = 1);

// code = clamp(round_half_to_even(w * (1 / scale)) + zero, 0, steps)
void encode(std::span<const PanelRow> w, const GroupParams& params, const GroupGrid& grid,
            std::span<PanelCodes> codes);

// scale * (code - zero)
void decode(std::span<const PanelCodes> codes, const GroupParams& params, std::span<PanelRow> w);

// The parameters of the least weighted squared error, sum_k importance_k (w_k - w'_k)^2, among ranges
// that are shrunk at either end or at both, each with the scale that fits its codes best:
//   scale = sum(i q w) / sum(i q q), q = code - zero
// importance: one per row, positive; empty: all alike. Among equals the widest range.
GroupParams search_params(std::span<const PanelRow> w, std::span<const float> importance,
                          const GroupGrid& grid);

// Whether all weights are finite.
bool all_finite(std::span<const PanelRow> w);

}  // namespace intaglio
