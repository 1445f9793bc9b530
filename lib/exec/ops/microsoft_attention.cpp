// com.microsoft: Attention, which projects its input to queries, keys and values itself, and
// MultiHeadAttention, which is given them (onnxruntime/docs/ContribOperators.md).
#include <fmt/format.h>

#include "lib/exec/ops/attention_kernels.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/padding_mask.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/strided.h"

namespace intaglio {
namespace {

struct Config {
  std::int64_t heads;
  float scale, filter;
  bool causal;
};

Config read_config(const Node& node) {
  return {node.attr_int("num_heads"), node.attr_float("scale", 0),
          node.attr_float("mask_filter_value", -10000.0f), node.attr_int("unidirectional", 0) != 0};
}

AttentionResult run(Attend attend, const Config& config, AttentionInputs in, const Tensor* mask,
                    const Tensor* bias) {
  in.bias = additive_mask(mask, bias,
                          {.batch = in.q.dim(0),
                           .queries = in.q.dim(2),
                           .keys = in.k.dim(2),
                           .filter = config.filter,
                           .causal = config.causal});
  return attend(in, {.scale = score_scale(config.scale, in.q.dim(3))});
}

// Columns [first, first + count) of the last axis.
Tensor columns(const Tensor& x, std::int64_t first, std::int64_t count) {
  Shape shape = x.shape();
  if (shape.empty() || first < 0 || count < 0 || first + count > shape.back())
    throw Error(Code::model, fmt::format("shape {} has no columns {} to {}", to_string(shape),
                                         first, first + count));
  shape.back() = count;
  Tensor result(x.dtype(), shape);
  copy_strided(x, first, strides_of(x.shape()), result);
  return result;
}

// One of the two halves of a past, and both put together again.
Tensor half(const Tensor& past, std::int64_t i) {
  require_rank(past, 5, "past");
  if (past.dim(0) != 2) throw Error(Code::model, "a past of shape " + to_string(past.shape()));
  const Shape shape(past.shape().begin() + 1, past.shape().end());
  Tensor result(past.dtype(), shape);
  copy_strided(past, i * element_count(shape), strides_of(shape), result);
  return result;
}
Tensor halves(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape())
    throw Error(Code::unsupported, "keys and values of different sizes cannot be returned as one");
  Shape shape = a.shape();
  shape.insert(shape.begin(), 2);
  Tensor result(a.dtype(), shape);
  std::byte* out = result.raw_mutate();
  std::copy_n(b.raw(), b.bytes(), std::copy_n(a.raw(), a.bytes(), out));
  return result;
}

// Part i of a packed [batch, length, heads, parts, depth], as [batch, heads, length, depth].
Tensor unpacked(const Tensor& x, std::int64_t parts, std::int64_t i) {
  const Shape strides = strides_of(x.shape());
  if (x.rank() != 5 || x.dim(3) != parts)
    throw Error(Code::model,
                fmt::format("shape {} does not pack {} parts", to_string(x.shape()), parts));
  Tensor result(x.dtype(), {x.dim(0), x.dim(2), x.dim(1), x.dim(4)});
  copy_strided(x, i * strides[3], Shape{strides[0], strides[2], strides[1], 1}, result);
  return result;
}

// Adds the part of the bias that begins at `first`.
Tensor biased(const Tensor& x, const Tensor* bias, std::int64_t first) {
  if (bias == nullptr) return x;
  const Tensor own = columns(as_float(*bias), first, x.dim(1) * x.dim(3));
  return broadcast_map<float>(x, own.reshaped({1, x.dim(1), 1, x.dim(3)}), std::plus<>());
}

// Queries, keys and values, packed or not; keys and values may have their heads split already.
AttentionInputs read_inputs(const KernelContext& c, std::int64_t heads) {
  const Tensor q = as_float(c.input(0));
  if (q.rank() == 5) return {unpacked(q, 3, 0), unpacked(q, 3, 1), unpacked(q, 3, 2), {}};
  const Tensor k = as_float(c.input(1));
  if (k.rank() == 5) return {split_heads(q, heads), unpacked(k, 2, 0), unpacked(k, 2, 1), {}};
  const Tensor v = as_float(c.input(2));
  if (k.rank() == 4) return {split_heads(q, heads), k, v, {}};
  return {split_heads(q, heads), split_heads(k, heads), split_heads(v, heads), {}};
}

}  // namespace

// Inputs: input, weights, bias, mask_index, past, attention_bias.
std::unique_ptr<Kernel> microsoft_attention(const Node& node, Attend attend, Projection project) {
  if (node.attr_int("do_rotary", 0) != 0 || node.attr_int("past_present_share_buffer", 0) != 0)
    throw Error(Code::unsupported, "do_rotary and past_present_share_buffer");
  return make_kernel([config = read_config(node), sizes = node.attr_ints("qkv_hidden_sizes"),
                      attend, project = std::move(project)](KernelContext& c) {
    const Tensor all = project(as_float(c.input(0)), as_float(c.input(1)), c.optional(2));
    require_rank(all, 3, "projected input");
    const std::int64_t third = all.dim(2) / 3;
    const Shape wide = sizes.size() == 3 ? sizes : Shape{third, third, third};
    for (const std::int64_t size : wide)
      if (size < 0 || size > all.dim(2)) throw Error(Code::model, "qkv_hidden_sizes do not fit");
    const auto part = [&](std::int64_t first, std::int64_t count) {
      return split_heads(all, config.heads, first, count);
    };
    AttentionInputs in{
        part(0, wide[0]), part(wide[0], wide[1]), part(wide[0] + wide[1], wide[2]), {}};
    if (c.optional(4) != nullptr) {
      const Tensor past = as_float(c.input(4));
      in.k = join_lengths(half(past, 0), in.k);
      in.v = join_lengths(half(past, 1), in.v);
    }
    const AttentionResult result = run(attend, config, in, c.optional(3), c.optional(5));
    set_float_output(c, 0, join_heads(result.y), c.input(0).dtype());
    if (c.wants(1)) set_float_output(c, 1, halves(in.k, in.v), c.input(0).dtype());
  });
}

// Inputs: query, key, value, bias, key_padding_mask, attention_bias, past_key, past_value.
std::unique_ptr<Kernel> multi_head_attention(const Node& node, Attend attend) {
  return make_kernel([config = read_config(node), attend](KernelContext& c) {
    AttentionInputs in = read_inputs(c, config.heads);
    if (in.q.rank() != 4 || in.k.rank() != 4 || in.v.rank() != 4)
      throw Error(Code::model, "query, key or value have too few axes");
    const std::int64_t width = in.q.dim(1) * in.q.dim(3);
    in.q = biased(in.q, c.optional(3), 0);
    in.k = biased(in.k, c.optional(3), width);
    in.v = biased(in.v, c.optional(3), 2 * width);
    if (c.optional(6) != nullptr) {
      in.k = join_lengths(as_float(c.input(6)), in.k);
      in.v = join_lengths(as_float(c.input(7)), in.v);
    }
    const AttentionResult result = run(attend, config, in, c.optional(4), c.optional(5));
    set_float_output(c, 0, join_heads(result.y), c.input(0).dtype());
    if (c.output_count() > 1) set_float_output(c, 1, in.k, c.input(0).dtype());
    if (c.output_count() > 2) set_float_output(c, 2, in.v, c.input(0).dtype());
    if (c.wants(3)) throw Error(Code::unsupported, "the scores as an output");
  });
}

}  // namespace intaglio
