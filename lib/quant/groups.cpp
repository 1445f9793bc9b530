#include "lib/quant/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/base/simd.h"

namespace intaglio {
namespace {

// Adding and taking away 1.5 * 2^23 rounds to whole numbers, half to even, for |x| < 2^22, in every
// instruction set alike. What is larger is clamped before.
constexpr float rounder = 12582912.0F;

inline float rounded(float x) { return (x + rounder) - rounder; }
inline float clamped(float x, float lo, float hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

constexpr float far = 4194304.0F;       // 2^22
constexpr float dead_scale = 0x1p-24F;  // of zeros; half precision holds it

INTAGLIO_CLONES
void range_loop(const PanelRow* w, std::size_t rows, GroupRange& range) {
  PanelRow lo{}, hi{};
  for (std::size_t k = 0; k < rows; ++k) {
    for (std::size_t j = 0; j < panel_width; ++j) lo[j] = w[k][j] < lo[j] ? w[k][j] : lo[j];
    for (std::size_t j = 0; j < panel_width; ++j) hi[j] = w[k][j] > hi[j] ? w[k][j] : hi[j];
  }
  range = {lo, hi};
}

INTAGLIO_CLONES
void cover_loop(const GroupRange& range, const GroupGrid& grid, float shrink_lo, float shrink_hi,
                GroupParams& params) {
  const auto steps = static_cast<float>(grid.steps), zero = static_cast<float>(grid.zero);
  const float below = zero > 0 ? zero : 1, above = steps - zero;
  for (std::size_t j = 0; j < panel_width; ++j) {
    const float lo = range.lo[j] * shrink_lo, hi = range.hi[j] * shrink_hi;
    const float low = -lo / below, high = hi / above;
    const float scale = grid.chooses ? hi / steps - lo / steps : low > high ? low : high;
    const bool dead = !(scale >= grid.least_scale);
    params.scale[j] =
        dead ? (dead_scale > grid.least_scale ? dead_scale : grid.least_scale) : scale;
    params.zero[j] = !grid.chooses ? zero : dead ? 0.0F : clamped(rounded(-lo / scale), 0, steps);
  }
}

INTAGLIO_CLONES
void encode_loop(const PanelRow* w, std::size_t rows, const GroupParams& params, float steps,
                 PanelCodes* codes) {
  PanelRow inverse;
  for (std::size_t j = 0; j < panel_width; ++j) inverse[j] = 1 / params.scale[j];
  for (std::size_t k = 0; k < rows; ++k)
    for (std::size_t j = 0; j < panel_width; ++j)
      codes[k][j] = static_cast<std::uint8_t>(static_cast<std::int32_t>(
          clamped(rounded(clamped(w[k][j] * inverse[j], -far, far)) + params.zero[j], 0, steps)));
}

INTAGLIO_CLONES
void decode_loop(const PanelCodes* codes, std::size_t rows, const GroupParams& params,
                 PanelRow* w) {
  for (std::size_t k = 0; k < rows; ++k)
    for (std::size_t j = 0; j < panel_width; ++j)
      w[k][j] = params.scale[j] * (static_cast<float>(codes[k][j]) - params.zero[j]);
}

// One candidate: its codes, the scale that fits them, and its error but for the sum of i w w, which
// all candidates share: -(sum i q w)^2 / sum i q q. Takes it where that is less than before.
INTAGLIO_CLONES
void try_loop(const PanelRow* w, const float* importance, std::size_t rows, float steps,
              float least_scale, const GroupParams& tried, PanelRow& least, GroupParams& best) {
  PanelRow inverse, qw{}, qq{};
  for (std::size_t j = 0; j < panel_width; ++j) inverse[j] = 1 / tried.scale[j];
  for (std::size_t k = 0; k < rows; ++k) {
    const float i = importance != nullptr ? importance[k] : 1;
    for (std::size_t j = 0; j < panel_width; ++j) {
      const float q = clamped(rounded(clamped(w[k][j] * inverse[j], -far, far)), -tried.zero[j],
                              steps - tried.zero[j]);
      qw[j] += i * q * w[k][j];
      qq[j] += i * q * q;
    }
  }
  for (std::size_t j = 0; j < panel_width; ++j) {
    const float scale = qq[j] > 0 ? qw[j] / qq[j] : tried.scale[j];
    const float error = qq[j] > 0 ? -qw[j] * scale : 0;
    const bool better = error < least[j] && scale >= least_scale;
    least[j] = better ? error : least[j];
    best.scale[j] = better ? scale : best.scale[j];
    best.zero[j] = better ? tried.zero[j] : best.zero[j];
  }
}

INTAGLIO_CLONES
bool finite_loop(const PanelRow* w, std::size_t rows) {
  PanelRow nothing{};
  for (std::size_t k = 0; k < rows; ++k)
    for (std::size_t j = 0; j < panel_width; ++j) nothing[j] += w[k][j] * 0;
  bool finite = true;
  for (const float x : nothing) finite &= x == 0;
  return finite;
}

}  // namespace

GroupGrid group_grid(const Scheme& scheme) {
  const DType type = scheme.type;
  if (!is_narrow_code(type))
    throw Error(Code::config, fmt::format("no groups of type '{}'", name_of(type)),
                "Use u4, s4, u2, s2, u8 or s8.");
  const bool is_signed = is_signed_code(type);
  const int count = 1 << bits_of(type);
  return {.steps = count - 1,
          .zero = count / 2,
          .chooses = !is_signed && !scheme.symmetric,
          .lowest = is_signed ? -count / 2 : 0};
}

GroupRange group_range(std::span<const PanelRow> w) {
  GroupRange range;
  range_loop(w.data(), w.size(), range);
  return range;
}

GroupParams cover(const GroupRange& range, const GroupGrid& grid, float shrink_lo,
                  float shrink_hi) {
  GroupParams params;
  cover_loop(range, grid, shrink_lo, shrink_hi, params);
  return params;
}

void encode(std::span<const PanelRow> w, const GroupParams& params, const GroupGrid& grid,
            std::span<PanelCodes> codes) {
  encode_loop(w.data(), w.size(), params, static_cast<float>(grid.steps), codes.data());
}

void decode(std::span<const PanelCodes> codes, const GroupParams& params, std::span<PanelRow> w) {
  decode_loop(codes.data(), codes.size(), params, w.data());
}

GroupParams search_params(std::span<const PanelRow> w, std::span<const float> importance,
                          const GroupGrid& grid) {
  constexpr float step = 0.05F;
  // Few codes gain from cutting more away.
  const int cuts = grid.steps > 3 ? 9 : 14;
  const GroupRange range = group_range(w);
  GroupParams best = cover(range, grid);
  PanelRow least{};
  const auto attempt = [&](float lo, float hi) {
    try_loop(w.data(), importance.empty() ? nullptr : importance.data(), w.size(),
             static_cast<float>(grid.steps), grid.least_scale, cover(range, grid, lo, hi), least,
             best);
  };
  attempt(1, 1);
  for (int cut = 1; cut < cuts; ++cut) {
    const float shrink = 1 - step * static_cast<float>(cut);
    attempt(shrink, shrink);
    if (!grid.chooses) continue;
    attempt(shrink, 1);
    attempt(1, shrink);
  }
  return best;
}

bool all_finite(std::span<const PanelRow> w) { return finite_loop(w.data(), w.size()); }

}  // namespace intaglio
