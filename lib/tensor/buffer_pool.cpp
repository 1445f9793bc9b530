#include "lib/tensor/buffer_pool.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "lib/base/memory.h"
#include "lib/tensor/arena_plan.h"
#include "lib/tensor/large_heap.h"

namespace intaglio {
namespace {

constexpr std::align_val_t alignment{64};

// Smaller ones are not counted: threads would wait for each other.
constexpr std::size_t counted_bytes = 64 * 1024;

#ifdef __SANITIZE_ADDRESS__  // which finds what is read past the end only in memory of its own
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

bool is_large(std::size_t bytes) { return !sanitized && bytes >= large_block; }

struct GiveToSystem {
  std::size_t bytes = 0;
  void operator()(std::byte* p) const {
    is_large(bytes) ? give_large(p, bytes) : ::operator delete(p, alignment);
    if (bytes >= counted_bytes) release_memory(bytes);
  }
};
using Memory = std::unique_ptr<std::byte, GiveToSystem>;

Memory take_from_system(std::size_t bytes) {
  if (bytes >= counted_bytes) reserve_memory(bytes);
  try {
    void* data = is_large(bytes) ? take_large(bytes) : ::operator new(bytes, alignment);
    return Memory(static_cast<std::byte*>(data), GiveToSystem{bytes});
  } catch (const std::bad_alloc&) {
    if (bytes >= counted_bytes) release_memory(bytes);
    throw;
  }
}

}  // namespace

// The buffers of a pool. Those that are lent out keep it alive.
class BufferSource {
 public:
  // A new use: requests are counted from 0 again.
  void begin() {
    const std::lock_guard lock(mutex_);
    if (!followed_ && in_arena_.empty()) make_plan();
    record_.clear();
    clock_ = 0;
    followed_ = !sizes_.empty();
    ++uses_;
  }

  void end() {
    const std::lock_guard lock(mutex_);
    followed_ = followed_ && record_.size() == sizes_.size();
  }

  // A buffer, and what give() needs to know of it.
  struct Lent {
    std::byte* data;
    std::size_t bytes, request, use;
  };

  Lent take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t request = record_.size();
    record_.push_back({bytes, ++clock_, never});
    followed_ = followed_ && request < sizes_.size() && sizes_[request] == bytes;
    if (followed_ && offsets_[request] != outside && is_free(offsets_[request], bytes)) {
      in_arena_[offsets_[request]] = bytes;
      return {arena_.get() + offsets_[request], bytes, request, uses_};
    }
    const auto it = free_.lower_bound(bytes);  // the smallest that fits, if not much larger
    if (it == free_.end() || it->first > 2 * bytes) {
      held_ += bytes;
      return {take_from_system(bytes).release(), bytes, request, uses_};
    }
    auto node = free_.extract(it);
    return {node.mapped().release(), node.key(), request, uses_};
  }

  void give(const Lent& lent) {
    const std::lock_guard lock(mutex_);
    if (lent.use == uses_ && lent.request < record_.size()) record_[lent.request].end = ++clock_;
    if (lent.data >= arena_.get() && lent.data < arena_.get() + arena_bytes_) {
      in_arena_.erase(static_cast<std::size_t>(lent.data - arena_.get()));
    } else {
      free_.emplace(lent.bytes, Memory(lent.data, GiveToSystem{lent.bytes}));
    }
  }

  std::size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return held_ + arena_bytes_;
  }

 private:
  static constexpr std::size_t never = static_cast<std::size_t>(-1), outside = never;

  bool is_free(std::size_t offset, std::size_t bytes) const {
    return std::ranges::none_of(in_arena_, [&](const auto& used) {
      return used.first < offset + bytes && offset < used.first + used.second;
    });
  }

  // From the record of the last use. Buffers that were not returned belong to somebody else.
  void make_plan() {
    std::vector<Lifetime> lives;
    sizes_.clear();
    offsets_.assign(record_.size(), outside);
    for (const Lifetime& life : record_)
      if (life.end != never) lives.push_back(life);
    const ArenaPlan plan = plan_arena(lives);
    for (const auto& [size, memory] : free_) held_ -= size;
    free_.clear();
    arena_.reset();
    arena_bytes_ = 0;
    if (plan.bytes > 0) arena_ = take_from_system(plan.bytes);
    arena_bytes_ = plan.bytes;
    auto offset = plan.offsets.begin();
    for (std::size_t i = 0; i < record_.size(); ++i)
      if (record_[i].end != never) offsets_[i] = *offset++;
    for (const Lifetime& life : record_) sizes_.push_back(life.bytes);
  }

  mutable std::mutex mutex_;
  std::multimap<std::size_t, Memory> free_;  // by size
  std::size_t held_ = 0;                     // outside of the arena
  Memory arena_;
  std::size_t arena_bytes_ = 0;
  std::map<std::size_t, std::size_t> in_arena_;  // lent out: offset, bytes
  std::vector<std::size_t> sizes_, offsets_;     // by request, as planned
  std::vector<Lifetime> record_;                 // of this use
  std::size_t clock_ = 0, uses_ = 0;
  bool followed_ = false;  // this use has asked for what was planned so far
};

namespace {

thread_local std::shared_ptr<BufferSource> in_use;

}  // namespace

BufferPool::BufferPool() : source_(std::make_shared<BufferSource>()) {}
BufferPool::~BufferPool() = default;

std::size_t BufferPool::bytes() const { return source_->bytes(); }

BufferPool::Use::Use(BufferPool& pool) : before_(std::exchange(in_use, pool.source_)) {
  in_use->begin();
}
BufferPool::Use::~Use() {
  in_use->end();
  in_use = std::move(before_);
}

std::shared_ptr<std::byte> allocate_bytes(std::size_t bytes) {
  constexpr std::size_t step = 4096;  // smaller ones are cheap to get, and do not move the rest
  if (sanitized || in_use == nullptr || bytes < step)
    return take_from_system(std::max<std::size_t>(bytes, 1));
  const auto lent = in_use->take((bytes + step - 1) / step * step);
  return {lent.data, [source = in_use, lent](std::byte*) { source->give(lent); }};
}

}  // namespace intaglio
