// Large blocks have a heap of their own. In that of the C library small blocks lie between them,
// which outlive them and keep their neighbours from joining: memory that is free and fits nobody.
#pragma once

#include <cstddef>

namespace intaglio {

// Smaller blocks do not belong here.
inline constexpr std::size_t large_block = 256 * 1024;

// At an address that is a multiple of 64, not initialised. Any thread. Throws std::bad_alloc.
std::byte* take_large(std::size_t bytes);

// A block that take_large(bytes) returned. What is free stays for the next ones; only the very
// largest go back to the system.
void give_large(std::byte* data, std::size_t bytes) noexcept;

}  // namespace intaglio
