// Tensors of one shape, as the slices of one more axis: how Loop and Scan take their inputs apart
// and put their results together.
#pragma once

#include <cstddef>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// The slice with this index along the axis, which it no longer has. The caller checks the range.
Tensor slice_at(const Tensor& tensor, std::int64_t axis, std::int64_t index);

class Stack {
 public:
  // Throws Code::model when the type or the shape is not that of the first slice, or when all
  // slices together need more memory than half the limit (lib/base/memory.h).
  void push(const Tensor& slice);
  std::int64_t count() const { return count_; }

  // All slices along a new axis (in [-rank, rank) of the result), the last one first if asked.
  // Without any slice, the result is empty, with the type and the lengths (0 for unknown ones) that
  // the nested graph declares for a slice; Code::model when it does not declare a type.
  Tensor joined(const Value& declared, std::int64_t axis = 0, bool reversed = false) const;

 private:
  DType type_ = DType::undefined;
  Shape shape_;
  std::int64_t count_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace intaglio
