#include "lib/tensor/large_heap.h"

#include <sys/mman.h>

#include <iterator>
#include <map>
#include <mutex>
#include <new>

namespace intaglio {
namespace {

constexpr std::size_t line = 64;
// Blocks of whole pages would all begin at the same address within a page, and what is read and
// written together would fall on the same few lines of the cache.
constexpr std::size_t stagger = 5 * line;
constexpr std::size_t chunk = std::size_t{64} << 20;  // costs nothing until it is written to

// What a block takes up.
std::size_t room_for(std::size_t bytes) { return (bytes + line - 1) / line * line + stagger; }

std::byte* map_pages(std::size_t bytes) {
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(data);
}

// The system maps chunks from the top of the address space downwards, next to each other: blocks
// come from the highest free range that holds them, so that the lower chunks stay empty.
class LargeHeap {
 public:
  std::byte* take(std::size_t bytes) {
    if (bytes > chunk) return map_pages(bytes);
    const std::lock_guard lock(mutex_);
    return carve(bytes);
  }

  void give(std::byte* data, std::size_t bytes) {
    if (bytes > chunk) {
      ::munmap(data, bytes);
      return;
    }
    const std::lock_guard lock(mutex_);
    add_free(data, bytes);
  }

 private:
  std::byte* carve(std::size_t bytes) {
    for (auto it = free_.end(); it != free_.begin();) {
      --it;
      if (it->second < bytes) continue;
      it->second -= bytes;
      std::byte* data = it->first + it->second;
      if (it->second == 0) free_.erase(it);
      return data;
    }
    add_free(map_pages(chunk), chunk);
    return carve(bytes);
  }

  void add_free(std::byte* data, std::size_t bytes) {
    auto it = free_.emplace(data, bytes).first;
    if (const auto next = std::next(it); next != free_.end() && data + bytes == next->first) {
      it->second += next->second;
      free_.erase(next);
    }
    if (it == free_.begin()) return;
    if (const auto before = std::prev(it); before->first + before->second == data) {
      before->second += it->second;
      free_.erase(it);
    }
  }

  std::mutex mutex_;
  std::map<std::byte*, std::size_t> free_;  // ranges, no two of them adjacent
};

// Never destroyed: static tensors outlive whatever is.
LargeHeap& heap() {
  static LargeHeap& all = *new LargeHeap;
  return all;
}

}  // namespace

std::byte* take_large(std::size_t bytes) { return heap().take(room_for(bytes)); }

void give_large(std::byte* data, std::size_t bytes) noexcept { heap().give(data, room_for(bytes)); }

}  // namespace intaglio
