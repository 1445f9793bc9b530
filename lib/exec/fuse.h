// Which nodes a kernel can do the work of on the way: activations and additions behind a
// convolution or a matrix product whose intermediate values nobody looks at.
#pragma once

#include <functional>
#include <vector>

#include "lib/exec/post_op.h"
#include "lib/graph/graph.h"

namespace intaglio {

// One operation behind a node, and the nodes that it stands for (x * Sigmoid(x) takes two).
struct Link {
  PostOp op;
  std::vector<const Node*> nodes;
  const Value* addend = nullptr;  // of PostOp::Kind::add
  const Value* result = nullptr;  // what is made when the chain ends here
};

// The longest chain behind output 0 of a node. observed(value): somebody wants to see it, so it
// must be made. Only f32 values are taken; an addend has the shape of the result, as far as is
// known.
std::vector<Link> chain_behind(const Node& node, const std::function<bool(const Value&)>& observed);

}  // namespace intaglio
