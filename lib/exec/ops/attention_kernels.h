// Kernels of the operators that attend. What they read, mask and return is the same whatever does
// the arithmetic: the loops of attend() (attention.h), or faster ones (lib/exec/vector/attend.h).
#pragma once

#include <functional>

#include "lib/exec/kernel.h"
#include "lib/exec/ops/attention.h"

namespace intaglio {

using Attend = AttentionResult (*)(const AttentionInputs& in, const AttentionOptions& options);

// x * weights + bias: f32; bias may be null.
using Projection =
    std::function<Tensor(const Tensor& x, const Tensor& weights, const Tensor* bias)>;

// Attention of opset 23.
std::unique_ptr<Kernel> standard_attention(const Node& node, Attend attend);

// com.microsoft: Attention, MultiHeadAttention and GroupQueryAttention.
std::unique_ptr<Kernel> microsoft_attention(const Node& node, Attend attend, Projection project);
std::unique_ptr<Kernel> multi_head_attention(const Node& node, Attend attend);
std::unique_ptr<Kernel> group_query_attention(const Node& node, Attend attend);

// Why GroupQueryAttention does not take a node.
Refusal refuse_group_query_attention(const Node& node);

}  // namespace intaglio
