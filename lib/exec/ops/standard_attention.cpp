// Attention (opset 23; 24 adds the number of valid keys; 25 windows): see attention.h.
#include <fmt/format.h>

#include <array>

#include "lib/exec/ops/attention_kernels.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/padding_mask.h"

namespace intaglio {
namespace {

struct Config {
  std::int64_t q_heads, kv_heads, left, right;
  bool causal;
  float scale, softcap;  // scale 0: 1 / sqrt(depth)
  AttentionStage stage;
};

Config read_config(const Node& node) {
  constexpr std::array stages = {AttentionStage::product, AttentionStage::capped,
                                 AttentionStage::biased, AttentionStage::probabilities};
  const std::int64_t mode = node.attr_int("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3)
    throw Error(Code::model, fmt::format("qk_matmul_output_mode {} is not defined", mode));
  return {
      node.attr_int("q_num_heads", 0),
      node.attr_int("kv_num_heads", 0),
      node.attr_int("left_window_size", -1),
      node.attr_int("right_window_size", -1),
      node.attr_int("is_causal", 0) != 0,
      node.attr_float("scale", 0),
      node.attr_float("softcap", 0),
      node.output(3) != nullptr ? stages[static_cast<std::size_t>(mode)] : AttentionStage::none};
}

// What the structure of the sequences hides; undefined: nothing.
Tensor hidden(const Config& config, const Tensor& q, std::int64_t keys, std::int64_t past,
              const Tensor* valid) {
  if (!config.causal && config.left < 0 && config.right < 0 && valid == nullptr) return {};
  const std::int64_t batch = valid != nullptr ? q.dim(0) : 1, queries = q.dim(2);
  std::vector<std::int64_t> lengths(1, keys);
  if (valid != nullptr) lengths = valid->to_vector<std::int64_t>();
  if (static_cast<std::int64_t>(lengths.size()) != batch)
    throw Error(Code::model, "nonpad_kv_seqlen does not have one entry per sample");
  Tensor bias(DType::f32, {batch, 1, queries, keys});
  for (std::int64_t b = 0; b < batch; ++b) {
    Visibility v{.offset = past, .left = config.left, .right = config.right};
    if (config.causal) v.right = 0;
    if (valid != nullptr) {
      v.keys = lengths[static_cast<std::size_t>(b)];
      if (v.keys < 0 || v.keys > keys)
        throw Error(Code::model, fmt::format("{} valid keys of {}", v.keys, keys));
      v.offset = v.keys - queries;
    }
    write_visibility(v, queries, keys, bias.mutate<float>().data() + b * queries * keys);
  }
  return bias;
}

}  // namespace

std::unique_ptr<Kernel> standard_attention(const Node& node, Attend attend) {
  return make_kernel([config = read_config(node), attend](KernelContext& c) {
    const DType type = c.input(0).dtype();
    const bool flat = c.input(0).rank() == 3;
    const auto heads_of = [&](std::size_t i) {
      const Tensor x = as_float(c.input(i));
      return flat ? split_heads(x, i == 0 ? config.q_heads : config.kv_heads) : x;
    };
    AttentionInputs in{heads_of(0), heads_of(1), heads_of(2), {}};
    std::int64_t past = 0;
    if (c.optional(4) != nullptr) {
      past = c.input(4).rank() == 4 ? c.input(4).dim(2) : 0;
      in.k = join_lengths(as_float(c.input(4)), in.k);
      in.v = join_lengths(as_float(c.input(5)), in.v);
    }
    if (in.q.rank() != 4 || in.k.rank() != 4)
      throw Error(Code::model, "the inputs need 3 or 4 axes");
    in.bias = hidden(config, in.q, in.k.dim(2), past, c.optional(6));
    if (const Tensor* mask = c.optional(3))
      in.bias = add_masks(mask_over_keys(*mask, in.k.dim(2)), in.bias);
    AttentionResult result = attend(in, {.scale = score_scale(config.scale, in.q.dim(3)),
                                         .softcap = config.softcap,
                                         .stage = config.stage});
    set_float_output(c, 0, flat ? join_heads(result.y) : result.y, type);
    if (c.output_count() > 1) set_float_output(c, 1, in.k, type);
    if (c.output_count() > 2) set_float_output(c, 2, in.v, c.input(2).dtype());
    if (c.wants(3)) set_float_output(c, 3, std::move(result.stage), type);
  });
}

}  // namespace intaglio
