// The transforms of one tile and sixteen channels (winograd.h).
#pragma once

#include <cstdint>

#include "lib/exec/vector/ending.h"

namespace intaglio {

// The points of interpolation beside 0 and infinity: both, with either sign.
inline constexpr double winograd_a = 0.70710678118654752440, winograd_b = 1.41421356237309504880;

// B' d B of 6x6 pixels of which some may lie beside the image: those count as zeros.
struct WinogradInput {
  const float* from = nullptr;               // where the first pixel is, or would be
  const float* end = nullptr;                // of the image: nothing from here on is read
  std::int64_t pixel = 0, line = 0;          // distances
  std::int64_t first_row = 0, last_row = 0;  // of the tile that lie on the image
  std::int64_t first_column = 0, last_column = 0;
  float* to = nullptr;
  std::int64_t step = 0;  // from one of the 36 results to the next
};
void winograd_load(const WinogradInput& in);

// A' m A, plus the bias, with its ending.
struct WinogradOutput {
  const float* from = nullptr;
  std::int64_t step = 0;  // from one of the 36 products to the next
  const float* bias = nullptr;
  float* to = nullptr;
  std::int64_t pixel = 0, line = 0;    // distances
  std::int64_t rows = 0, columns = 0;  // of the tile that are wanted
  Ending ending = {};
};
void winograd_store(const WinogradOutput& out);

}  // namespace intaglio
