#pragma once

#include <memory>

#include "lib/exec/kernel.h"

namespace intaglio {

// A kernel for a pointwise Conv and the depthwise one that alone reads its result, each followed by
// its operations; null when they are something else.
std::unique_ptr<Kernel> make_expand_depthwise(const Node& node, const PostOps& ops,
                                              const Node& next, const PostOps& next_ops);

}  // namespace intaglio
