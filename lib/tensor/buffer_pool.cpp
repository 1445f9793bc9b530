#include "lib/tensor/buffer_pool.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <new>
#include <utility>

namespace intaglio {

namespace {

constexpr std::align_val_t alignment{64};

std::byte* take_from_system(std::size_t bytes) {
  return static_cast<std::byte*>(::operator new(bytes, alignment));
}
void give_to_system(std::byte* p) { ::operator delete(p, alignment); }

}  // namespace

// Free buffers by size. Lent buffers keep the list alive.
struct BufferList {
  ~BufferList() {
    for (const auto& [size, p] : free) give_to_system(p);
  }

  // The smallest free buffer that fits and is at most twice as large.
  std::pair<std::byte*, std::size_t> take(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex);
      const auto it = free.lower_bound(bytes);
      if (it != free.end() && it->first <= 2 * bytes) {
        const auto found = std::pair(it->second, it->first);
        free.erase(it);
        return found;
      }
    }
    std::byte* fresh = take_from_system(bytes);
    const std::lock_guard lock(mutex);
    held += bytes;
    return {fresh, bytes};
  }

  void give(std::byte* p, std::size_t bytes) {
    const std::lock_guard lock(mutex);
    free.emplace(bytes, p);
  }

  std::mutex mutex;
  std::multimap<std::size_t, std::byte*> free;
  std::size_t held = 0;
};

namespace {

thread_local std::shared_ptr<BufferList> in_use;

}  // namespace

BufferPool::BufferPool() : list_(std::make_shared<BufferList>()) {}
BufferPool::~BufferPool() = default;

std::size_t BufferPool::bytes() const {
  const std::lock_guard lock(list_->mutex);
  return list_->held;
}

BufferPool::Use::Use(BufferPool& pool) : before_(std::exchange(in_use, pool.list_)) {}
BufferPool::Use::~Use() { in_use = std::move(before_); }

std::shared_ptr<std::byte> allocate_bytes(std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__  // which finds what is read past the end only in memory of its own
  constexpr bool pooled = false;
#else
  constexpr bool pooled = true;
#endif
  constexpr std::size_t step = 4096;  // near sizes are alike to the pool
  if (!pooled || in_use == nullptr || bytes < step)
    return {take_from_system(std::max<std::size_t>(bytes, 1)), give_to_system};
  const auto [p, size] = in_use->take((bytes + step - 1) / step * step);
  return {p, [list = in_use, size = size](std::byte* buffer) { list->give(buffer, size); }};
}

}  // namespace intaglio
