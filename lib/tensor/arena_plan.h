// Where buffers lie in one block of memory, given when each is in use.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace intaglio {

// A buffer that is in use from event `begin` to event `end`, both included.
struct Lifetime {
  std::size_t bytes, begin, end;
};

struct ArenaPlan {
  std::vector<std::size_t> offsets;  // by buffer
  std::size_t bytes = 0;             // of the block
};

// Buffers in use at the same time do not overlap. The largest are placed first, each as low as it
// fits ("Efficient Memory Management for Deep Neural Net Inference", Pisarchyk and Lee, 2020,
// section 5.2).
ArenaPlan plan_arena(std::span<const Lifetime> buffers);

}  // namespace intaglio
