// The kernel that products spend their time in: a tile of results stays in registers while the
// depth streams past.
#pragma once

#include <cstdint>
#include <span>

#include "lib/exec/vector/ending.h"

namespace intaglio {

struct TileArgs {
  const float* x = nullptr;
  std::int64_t pitch = 0;                   // distance between rows of x
  std::span<const std::int64_t> runs = {};  // where the runs of a row start
  std::int64_t length = 0;                  // of a run
  const float* w = nullptr;                 // [depth][vectors][width]
  const float* bias = nullptr;              // [vectors][width]
  Ending ending = {};
  float* y = nullptr;
  std::int64_t row = 0;     // distance between rows of y
  std::int64_t second = 0;  // distance between the two vectors of a row
  // What will be needed soon: brought near, a vector for each step of the depth. Null: what comes
  // next in w.
  const float* ahead = nullptr;
  // Results go to memory past the caches, which they would fill. y, row and second are multiples of
  // a vector then.
  bool stream = false;
};

// What the processor has.
struct TileMachine {
  static constexpr std::int64_t max_rows = 12, max_width = 16;  // of any

  std::int64_t rows, width;  // of a tile; of a vector
  // rows: 1 to those of a tile; vectors: 1 or 2.
  void (*run)(std::int64_t rows, std::int64_t vectors, const TileArgs& t);
};

const TileMachine& tile_machine();

// Whether results, rows `row` floats apart, are more than the caches hold, and lie so that tiles
// can stream them. Who did so ends it before others may read them.
bool streams(const float* y, std::int64_t rows, std::int64_t row);
void end_of_stream();

}  // namespace intaglio
