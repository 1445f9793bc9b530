// Memory for the tensors of a run, kept from one run to the next.
//
//   BufferPool pool;
//   { BufferPool::Use use(pool); Tensor t(...); }   // tensors made meanwhile on this thread
//
// The first use records when each buffer is taken and returned; from then on uses that ask for the
// same buffers in the same order get them from one arena, laid out so that buffers in use at the
// same time do not overlap (arena_plan.h). What does not follow the record (another shape, a tensor
// that outlives its use) gets memory of its own. So a run on a shape that came before asks the
// system for nothing but what its caller keeps.
//
// Buffers return when the last tensor that shares them is gone, on whatever thread, also after the
// pool itself is gone. One use at a time.
#pragma once

#include <cstddef>
#include <memory>

namespace intaglio {

class BufferPool {
 public:
  BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // Tensors that the calling thread makes during its lifetime take their bytes from the pool.
  class Use {
   public:
    explicit Use(BufferPool& pool);
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use();

   private:
    std::shared_ptr<class BufferSource> before_;
  };

  std::size_t bytes() const;  // that it holds, lent out or not

 private:
  std::shared_ptr<BufferSource> source_;
};

// Bytes at an address that is a multiple of 64, not initialised: from the pool in use on this
// thread, or from the system. Throws std::bad_alloc.
std::shared_ptr<std::byte> allocate_bytes(std::size_t bytes);

}  // namespace intaglio
