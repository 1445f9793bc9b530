// Room for what a kernel makes on the way, one piece per thread and purpose, kept from one call to
// the next. It does not come from the memory of a run (lib/tensor/buffer_pool.h), which wants the
// same requests in the same order every time: how often a thread of a team asks depends on timing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace intaglio {

enum class Scratch { inputs, results };  // what may be in use at the same time

// At least so many floats at a multiple of 64 bytes, not initialised. Valid on this thread until
// the next call for the same purpose.
float* scratch(Scratch purpose, std::int64_t floats);

}  // namespace intaglio
