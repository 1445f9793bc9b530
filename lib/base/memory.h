// How much memory the tensors of the process may take, all threads together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "lib/base/error.h"

namespace intaglio {

// What the machine has, or, in a container, what that may use.
std::size_t machine_memory();

// The limit; four fifths of machine_memory() until it is set. Set it before other threads start.
std::size_t memory_limit();
void set_memory_limit(std::size_t bytes);

// Code::unsupported: the limit would be passed.
class MemoryLimitReached : public Error {
 public:
  MemoryLimitReached(std::size_t wanted, std::size_t in_use);
  MemoryLimitReached within(std::string_view context) const {
    return MemoryLimitReached(Error::within(context));
  }

 private:
  explicit MemoryLimitReached(const Error& error) : Error(error) {}
};

// Counts bytes as in use, from many threads at once. Throws MemoryLimitReached, and then has
// counted nothing.
void reserve_memory(std::size_t bytes);
void release_memory(std::size_t bytes) noexcept;

// The most memory that this program has had in use, by the operating system's count.
std::uint64_t peak_memory();

std::string human_bytes(std::uint64_t bytes);  // "3.85 MB"

}  // namespace intaglio
