// The slow twin of every fused kernel: the reference kernel of the node, then the operations one by
// one. Fast kernels compare with it in tests, and hand it the shapes and types that they do not
// take.
#pragma once

#include <memory>
#include <mutex>

#include "lib/exec/kernel.h"

namespace intaglio {

class FusedReference {
 public:
  // The node must outlive it. Its kernel is made when it is needed first: packing takes memory.
  FusedReference(const Node& node, PostOps ops) : node_(node), ops_(std::move(ops)) {}

  // Inputs may have either layout; the result is row-major.
  void run(KernelContext& context) const;

 private:
  const Node& node_;
  PostOps ops_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<Kernel> kernel_;
};

}  // namespace intaglio
