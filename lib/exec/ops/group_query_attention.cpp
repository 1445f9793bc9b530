// com.microsoft: GroupQueryAttention (onnxruntime/docs/ContribOperators.md): causal attention whose
// query heads share keys and values in groups, with a cache of earlier ones and, when asked,
// rotary positions.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/exec/ops/attention_kernels.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/padding_mask.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/ops/rotary.h"

namespace intaglio {
namespace {

// The inputs, by number.
enum : std::size_t {
  in_query,
  in_key,
  in_value,
  in_past_key,
  in_past_value,
  in_lengths,
  in_total,
  in_cosines,
  in_sines,
  in_positions,
  in_bias,
};

struct Config {
  std::int64_t heads, groups, window;
  float scale, softcap;  // scale 0: 1 / sqrt(depth)
  bool causal, rotary;
  RotaryOptions rotation;
};

Config read_config(const Node& node) {
  Config config{.heads = node.attr_int("num_heads"),
                .groups = node.attr_int("kv_num_heads"),
                .window = node.attr_int("local_window_size", -1),
                .scale = node.attr_float("scale", 0),
                .softcap = node.attr_float("softcap", 0),
                .causal = node.attr_int("causal", 1) != 0,
                .rotary = node.attr_int("do_rotary", 0) != 0,
                .rotation = {.interleaved = node.attr_int("rotary_interleaved", 0) != 0}};
  if (config.heads < 1 || config.groups < 1)
    throw Error(Code::model,
                fmt::format("num_heads {} and kv_num_heads {}", config.heads, config.groups),
                "Both must be 1 or more.");
  if (config.rotary && (node.input(in_cosines) == nullptr || node.input(in_sines) == nullptr))
    throw Error(Code::model, "do_rotary is 1, but cos_cache or sin_cache is missing",
                "Give inputs 8 and 9 the caches of cosines and sines.");
  return config;
}

// Queries, keys and values with heads of their own: [batch, heads, length, depth].
struct Parts {
  Tensor q, k, v;
};

// Heads [first, first + count) of [batch, length, all * depth].
Tensor heads_of(const Tensor& x, std::int64_t all, std::int64_t first, std::int64_t count) {
  require_rank(x, 3, "query, key or value");
  if (x.dim(2) % all != 0)
    throw Error(Code::model, fmt::format("shape {} for {} heads", to_string(x.shape()), all));
  const std::int64_t depth = x.dim(2) / all;
  return split_heads(x, count, first * depth, count * depth);
}

Parts read_parts(const KernelContext& c, const Config& config) {
  const Tensor q = as_float(c.input(in_query));
  const std::int64_t h = config.heads, g = config.groups;
  if (c.optional(in_key) == nullptr)
    return {heads_of(q, h + 2 * g, 0, h), heads_of(q, h + 2 * g, h, g),
            heads_of(q, h + 2 * g, h + g, g)};
  return {heads_of(q, h, 0, h), heads_of(as_float(c.input(in_key)), g, 0, g),
          heads_of(as_float(c.input(in_value)), g, 0, g)};
}

// How much of the cache each sample has filled before this call and after it.
struct Lengths {
  std::vector<std::int64_t> before, after;
  std::int64_t kept;  // places of the cache that is returned
};

Lengths read_lengths(const KernelContext& c, std::int64_t batch, std::int64_t queries) {
  const auto last = convert(c.input(in_lengths), DType::s64).to_vector<std::int64_t>();
  const auto total = convert(c.input(in_total), DType::s64).item<std::int64_t>();
  const Tensor* past = c.optional(in_past_key);
  if (past != nullptr) require_rank(*past, 4, "past_key");
  const std::int64_t room = past != nullptr ? past->dim(2) : 0;
  if (std::ssize(last) != batch)
    throw Error(Code::model,
                fmt::format("{} lengths in seqlens_k for {} samples", last.size(), batch));
  // A first call may be padded behind; later ones are not.
  const bool first = queries == total;
  Lengths lengths{.before = {}, .after = {}, .kept = std::max(room, total)};
  for (const std::int64_t at : last) {
    const std::int64_t before = first ? 0 : at + 1 - queries;
    if (at < 0 || at >= total || before < 0 || before > room || total > room + queries)
      throw Error(Code::model,
                  fmt::format("seqlens_k {} and total_sequence_length {} for {} queries and a past "
                              "of {}: the keys are those of the past and of the queries",
                              at, total, queries, room));
    lengths.before.push_back(before);
    lengths.after.push_back(at + 1);
  }
  return lengths;
}

// The cache with x, [batch, groups, queries, depth], written behind what each sample has.
Tensor written(const Tensor* past, const Tensor& x, const Lengths& lengths) {
  Shape shape = x.shape();
  const std::int64_t queries = shape[2], depth = shape[3];
  shape[2] = lengths.kept;
  Tensor old =
      past != nullptr ? as_float(*past) : Tensor(DType::f32, {shape[0], shape[1], 0, depth});
  const std::int64_t room = old.dim(2);
  if (old.shape() != Shape{shape[0], shape[1], room, depth})
    throw Error(Code::model, fmt::format("a past of shape {} for shape {}", to_string(old.shape()),
                                         to_string(x.shape())));
  Tensor result(DType::f32, shape);
  const float *from = old.data<float>().data(), *fresh = x.data<float>().data();
  float* to = result.mutate<float>().data();
  for (std::int64_t b = 0; b < shape[0]; ++b)
    for (std::int64_t g = 0; g < shape[1]; ++g, to += lengths.kept * depth) {
      const std::int64_t before = lengths.before[static_cast<std::size_t>(b)];
      std::copy_n(from, room * depth, to);
      std::fill_n(to + room * depth, (lengths.kept - room) * depth, 0.0f);
      std::copy_n(fresh, queries * depth, to + before * depth);
      from += room * depth;
      fresh += queries * depth;
    }
  return result;
}

std::vector<std::int64_t> positions(const KernelContext& c, const Lengths& lengths,
                                    std::int64_t queries) {
  const auto count = lengths.before.size() * static_cast<std::size_t>(queries);
  if (const Tensor* given = c.optional(in_positions)) {
    auto rows = convert(*given, DType::s64).to_vector<std::int64_t>();
    if (rows.size() != count)
      throw Error(Code::model, "position_ids of shape " + to_string(given->shape()));
    return rows;
  }
  std::vector<std::int64_t> rows;
  for (const std::int64_t before : lengths.before)
    for (std::int64_t i = 0; i < queries; ++i) rows.push_back(before + i);
  return rows;
}

// What order, window and padding hide, and the bias that is given.
Tensor bias_of(const KernelContext& c, const Config& config, const Lengths& lengths,
               std::int64_t queries) {
  const auto same = [](const std::vector<std::int64_t>& list) {
    return std::ranges::all_of(list, [&](std::int64_t n) { return n == list.front(); });
  };
  const bool one = !lengths.before.empty() && same(lengths.before) && same(lengths.after);
  const std::int64_t batch = one ? 1 : std::ssize(lengths.before), keys = lengths.kept;
  Tensor bias(DType::f32, {batch, 1, queries, keys});
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto at = static_cast<std::size_t>(b);
    // The window of onnxruntime counts the query's own place.
    const Visibility v{.offset = lengths.before[at],
                       .left = config.window > 0 ? config.window - 1 : -1,
                       .right = config.causal ? 0 : -1,
                       .keys = lengths.after[at]};
    write_visibility(v, queries, keys, bias.mutate<float>().data() + b * queries * keys);
  }
  const Tensor* given = c.optional(in_bias);
  if (given == nullptr) return bias;
  return add_masks(mask_over_keys(*given, keys), bias);
}

}  // namespace

Refusal refuse_group_query_attention(const Node& node) {
  const auto given = [&](std::string_view attr, std::int64_t usual) {
    return node.attr_int(attr, usual) != usual;
  };
  constexpr std::array<std::pair<std::size_t, std::string_view>, 5> inputs = {
      {{11, "head_sink"},
       {12, "k_scale"},
       {13, "v_scale"},
       {14, "q_norm_weight"},
       {15, "k_norm_weight"}}};
  for (const auto& [i, name] : inputs)
    if (node.input(i) != nullptr) return fmt::format("input {} ('{}') is not taken", i + 1, name);
  for (const std::string_view attr : {"k_quant_type", "v_quant_type"})
    if (node.attr_string(attr, "NONE") != "NONE")
      return fmt::format("{} {}: caches in integers are not taken", attr, node.attr_string(attr));
  if (node.attr_int("local_window_size", -1) == 0)
    return "local_window_size 0 leaves no key to see";
  if (given("kv_cache_bit_width", 0)) return "kv_cache_bit_width: caches in integers are not taken";
  if (given("sliding_window_cache", 0))
    return "sliding_window_cache: a cache that wraps is not taken";
  if (node.attr_int("smooth_softmax", 0) > 0) return "smooth_softmax is not taken";
  if (given("qk_output", 0) || node.output(3) != nullptr)
    return "qk_output: the scores are no output here";
  return std::nullopt;
}

std::unique_ptr<Kernel> group_query_attention(const Node& node, Attend attend) {
  return make_kernel([config = read_config(node), attend](KernelContext& c) {
    const DType type = c.input(in_query).dtype();
    Parts in = read_parts(c, config);
    const std::int64_t queries = in.q.dim(2);
    const Lengths lengths = read_lengths(c, in.q.dim(0), queries);
    if (config.rotary) {
      const Tensor cosines = as_float(c.input(in_cosines)), sines = as_float(c.input(in_sines));
      const auto rows = positions(c, lengths, queries);
      RotaryOptions rotation = config.rotation;
      rotation.rotated = cosines.rank() > 0 ? 2 * cosines.shape().back() : 0;
      in.q = rotate(in.q, cosines, sines, rows, rotation);
      in.k = rotate(in.k, cosines, sines, rows, rotation);
    }
    in.k = written(c.optional(in_past_key), in.k, lengths);
    in.v = written(c.optional(in_past_value), in.v, lengths);
    const AttentionResult result =
        attend({in.q, in.k, in.v, bias_of(c, config, lengths, queries)},
               {.scale = score_scale(config.scale, in.q.dim(3)), .softcap = config.softcap});
    set_float_output(c, 0, join_heads(result.y), type);
    if (c.output_count() > 1) set_float_output(c, 1, in.k, type);
    if (c.output_count() > 2) set_float_output(c, 2, in.v, type);
  });
}

}  // namespace intaglio
