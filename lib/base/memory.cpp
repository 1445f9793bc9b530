#include "lib/base/memory.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>

namespace intaglio {
namespace {

std::atomic<std::size_t> in_use{0};

std::size_t& limit() {
  static std::size_t bytes = machine_memory() / 5 * 4;
  return bytes;
}

}  // namespace

std::size_t machine_memory() {
  static const std::size_t bytes = [] {
    const auto physical = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                          static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::size_t allowed = 0;  // of the container; the file holds "max" when there is no limit
    std::ifstream("/sys/fs/cgroup/memory.max") >> allowed;
    return allowed > 0 ? std::min(allowed, physical) : physical;
  }();
  return bytes;
}

std::size_t memory_limit() { return limit(); }
void set_memory_limit(std::size_t bytes) { limit() = bytes; }

MemoryLimitReached::MemoryLimitReached(std::size_t wanted, std::size_t used)
    : Error(Code::unsupported,
            fmt::format("{} more are wanted, {} are in use and `max-memory` is {}",
                        human_bytes(wanted), human_bytes(used), human_bytes(memory_limit())),
            "Check the shapes; use smaller inputs, fewer `threads`, or raise `max-memory`.") {}

void reserve_memory(std::size_t bytes) {
  const std::size_t before = in_use.fetch_add(bytes, std::memory_order_relaxed);
  if (before <= memory_limit() && bytes <= memory_limit() - before) return;
  release_memory(bytes);
  throw MemoryLimitReached(bytes, before);
}

void release_memory(std::size_t bytes) noexcept {
  in_use.fetch_sub(bytes, std::memory_order_relaxed);
}

// Of this program alone: getrusage() also counts what the process was before exec().
std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return 1024 * std::stoull(line.substr(6));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return 1024 * static_cast<std::uint64_t>(usage.ru_maxrss);
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes >= 1'000'000'000) return fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.2f} MB", static_cast<double>(bytes) / 1e6);
  if (bytes >= 1'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{} B", bytes);
}

}  // namespace intaglio
