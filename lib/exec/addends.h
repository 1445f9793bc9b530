// What a fused kernel adds to its results.
#pragma once

#include <fmt/format.h>

#include <vector>

#include "lib/exec/kernel.h"

namespace intaglio {

// For every `add`, the values of its input, one behind the other. Code::model unless it has the
// shape of the result.
inline std::vector<const float*> addends_of(const KernelContext& context, const PostOps& ops,
                                            const Shape& shape) {
  std::vector<const float*> addends;
  for (const PostOp& op : ops) {
    if (op.kind != PostOp::Kind::add) continue;
    const Tensor& given = context.input(op.input);
    if (given.shape() != shape)
      throw Error(Code::model, fmt::format("cannot add shape {} to a result of shape {}",
                                           to_string(given.shape()), to_string(shape)));
    addends.push_back(given.data<float>().data());
  }
  return addends;
}

}  // namespace intaglio
