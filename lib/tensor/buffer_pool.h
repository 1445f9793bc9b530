// Memory for the tensors of a run, kept from one run to the next: after the first run on a shape, a
// run asks the system for nothing, and touches no page for the first time.
//
//   BufferPool pool;
//   { BufferPool::Use use(pool); Tensor t(...); }   // tensors made meanwhile on this thread
//
// Buffers return to their pool when the last tensor that shares them is gone, on whatever thread,
// also after the pool itself is gone.
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
    std::shared_ptr<struct BufferList> before_;
  };

  std::size_t bytes() const;  // that it holds, lent out or not

 private:
  std::shared_ptr<BufferList> list_;
};

// Bytes at an address that is a multiple of 64, not initialised: from the pool in use on this thread,
// or from the system. Throws std::bad_alloc.
std::shared_ptr<std::byte> allocate_bytes(std::size_t bytes);

}  // namespace intaglio
