// Sums of products of 8-bit codes with AVX-512 VNNI: four unsigned times signed bytes a lane and
// step, exact in 32 bits, rounded to codes while they are in registers.
#pragma once

#include <cstdint>
#include <span>

namespace intaglio {

bool has_code_tiles();  // whether this processor has the instructions

// y = saturate(round(sum * multiplier) + zero), as requantize() of lib/exec/ops/codes/quantization.h.
struct CodeEnding {
  const float* multipliers;  // by column
  float hi;                  // the largest code less the zero point
  std::int32_t zero;
  bool is_signed;  // codes of y
};

// A strip of up to code_rows rows and 32 columns. Row i is made of runs of 4 * quads bytes; run r
// starts at x + i * pitch + runs[r]. Weights: [run][quad][vector][16 columns][4].
struct CodeTile {
  const std::uint8_t* x;
  std::int64_t pitch;
  std::span<const std::int64_t> runs;
  std::int64_t quads;
  const std::int8_t* w;
  const std::int32_t* start;  // of the sums, by column
  CodeEnding ending;
  std::uint8_t* y;
  std::int64_t row;      // bytes from one row of y to the next
  std::int64_t columns;  // 1..32
};
inline constexpr int code_rows = 12;
void run_code_tile(const CodeTile& tile, int rows);

// 64 neighbouring bytes of the result of a depthwise convolution, whatever channels of whatever
// pixels they are: taps in fours. Everything by byte is laid out in the order in which bytes of
// four taps interleave: [j][lane][e] for byte 16 * lane + 4 * j + e.
struct CodeDepthwise {
  const std::uint8_t* x = nullptr;
  const std::int64_t* taps;  // 4 * fours: where each lies from x
  std::int64_t fours;
  const std::int8_t* w = nullptr;       // [four][64 bytes][4 taps]
  const std::int32_t* start = nullptr;  // 64
  CodeEnding ending;                    // 64 multipliers
  std::int64_t bytes = 0;               // 1..64
  std::uint8_t* y = nullptr;
};
void run_code_depthwise(const CodeDepthwise& block);

// The same bytes of two rows of results, one row of the image apart. The fours are those of rows of
// taps, `quads` to a row; `taps` has one row more. What both rows of results read is interleaved
// once.
void run_code_depthwise_pair(const CodeDepthwise& block, std::int64_t quads, std::int64_t y_pitch);

}  // namespace intaglio
