// LinearAttention (opset 27): attention without softmax as a recurrence over a matrix S of
// depth-of-keys by depth-of-values per head ("Gated Delta Networks", Yang et al. 2025):
//   S *= exp(decay)                     update rules gated and gated_delta
//   v  = beta * (v - S^T k)             delta and gated_delta
//   S += k v^T,  y = scale * S^T q
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/exec/ops/attention.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct LinearInputs {
  Tensor q, k, v, decay,
      beta;  // f32 [batch, heads, length, depth]; decay and beta may be undefined
};

// A row of [batch, heads, length, depth]; one head stands for all.
const float* row(const Tensor& x, std::int64_t b, std::int64_t h, std::int64_t t) {
  const std::int64_t head = x.dim(1) == 1 ? 0 : h;
  return x.data<float>().data() + ((b * x.dim(1) + head) * x.dim(2) + t) * x.dim(3);
}

void update(const LinearInputs& in, std::int64_t b, std::int64_t h, std::int64_t t, float* state) {
  const std::int64_t depth = in.k.dim(3), wide = in.v.dim(3);
  const float* k = row(in.k, b, h, t);
  std::vector<float> value(row(in.v, b, h, t), row(in.v, b, h, t) + wide);
  if (in.decay.defined()) {
    const float* decay = row(in.decay, b, h, t);
    for (std::int64_t d = 0; d < depth; ++d) {
      const float factor = std::exp(decay[in.decay.dim(3) == 1 ? 0 : d]);
      for (std::int64_t m = 0; m < wide; ++m) state[d * wide + m] *= factor;
    }
  }
  if (in.beta.defined()) {
    for (std::int64_t d = 0; d < depth; ++d)
      for (std::int64_t m = 0; m < wide; ++m)
        value[static_cast<std::size_t>(m)] -= state[d * wide + m] * k[d];
    for (float& v : value) v *= *row(in.beta, b, h, t);
  }
  for (std::int64_t d = 0; d < depth; ++d)
    for (std::int64_t m = 0; m < wide; ++m)
      state[d * wide + m] += k[d] * value[static_cast<std::size_t>(m)];
}

// Advances the state over all steps and returns y, [batch, heads of q, length, depth of v].
Tensor recur(const LinearInputs& in, float scale, Tensor& states) {
  const std::int64_t heads = in.q.dim(1), length = in.q.dim(2);
  const std::int64_t depth = in.k.dim(3), wide = in.v.dim(3), sharing = heads / in.k.dim(1);
  Tensor y(DType::f32, {in.q.dim(0), heads, length, wide});
  float* out = y.mutate<float>().data();
  std::fill_n(out, y.size(), 0.0f);
  float* state = states.mutate<float>().data();
  for (std::int64_t b = 0; b < in.q.dim(0); ++b)
    for (std::int64_t g = 0; g < in.k.dim(1); ++g, state += depth * wide)
      for (std::int64_t t = 0; t < length; ++t) {
        update(in, b, g, t, state);
        for (std::int64_t h = g * sharing; h < (g + 1) * sharing; ++h) {
          const float* q = row(in.q, b, h, t);
          float* to = out + ((b * heads + h) * length + t) * wide;
          for (std::int64_t d = 0; d < depth; ++d)
            for (std::int64_t m = 0; m < wide; ++m) to[m] += scale * q[d] * state[d * wide + m];
        }
      }
  return y;
}

struct Config {
  std::int64_t q_heads, kv_heads;
  float scale;  // 0: 1 / sqrt(depth)
  bool gated, delta;
};

Config read_config(const Node& node) {
  const std::string rule = node.attr_string("update_rule", "gated_delta");
  const Config config{node.attr_int("q_num_heads"), node.attr_int("kv_num_heads"),
                      node.attr_float("scale", 0), rule == "gated" || rule == "gated_delta",
                      rule == "delta" || rule == "gated_delta"};
  if (!config.gated && !config.delta && rule != "linear")
    throw Error(Code::model, fmt::format("update_rule '{}' is not defined", rule));
  if (config.kv_heads < 1 || config.q_heads < 1 || config.q_heads % config.kv_heads != 0)
    throw Error(Code::model, fmt::format("{} heads share {}", config.q_heads, config.kv_heads));
  return config;
}

// Inputs: query, key, value, past_state, decay, beta.
LinearInputs read_inputs(const KernelContext& c, const Config& config) {
  LinearInputs in{split_heads(as_float(c.input(0)), config.q_heads),
                  split_heads(as_float(c.input(1)), config.kv_heads),
                  split_heads(as_float(c.input(2)), config.kv_heads),
                  {},
                  {}};
  if (config.gated) in.decay = split_heads(as_float(c.input(4)), config.kv_heads);
  if (config.delta) {
    const Tensor beta = as_float(c.input(5));
    require_rank(beta, 3, "beta");
    in.beta = split_heads(beta, beta.dim(2) == 1 ? 1 : config.kv_heads);
  }
  const auto fits = [&](const Tensor& x) {
    return !x.defined() || (x.dim(0) == in.q.dim(0) && x.dim(2) == in.q.dim(2));
  };
  if (!fits(in.k) || !fits(in.v) || !fits(in.decay) || !fits(in.beta) ||
      in.k.dim(3) != in.q.dim(3) || (in.beta.defined() && in.beta.dim(3) != 1) ||
      (in.decay.defined() && in.decay.dim(3) != 1 && in.decay.dim(3) != in.k.dim(3)))
    throw Error(Code::model, "queries, keys, values, decay and beta do not fit");
  return in;
}

std::unique_ptr<Kernel> make_linear_attention(const Node& node) {
  return make_kernel([config = read_config(node)](KernelContext& c) {
    const LinearInputs in = read_inputs(c, config);
    const Shape shape = {in.q.dim(0), config.kv_heads, in.k.dim(3), in.v.dim(3)};
    const Tensor* past = c.optional(3);
    if (past != nullptr && past->shape() != shape)
      throw Error(Code::model, "a past_state of shape " + to_string(past->shape()));
    Tensor state = past != nullptr ? as_float(*past) : Tensor(DType::f32, shape);
    if (past == nullptr) std::fill_n(state.mutate<float>().begin(), state.size(), 0.0f);
    const Tensor y = recur(in, score_scale(config.scale, in.q.dim(3)), state);
    set_float_output(c, 0, join_heads(y), c.input(0).dtype());
    if (c.output_count() > 1)
      set_float_output(c, 1, std::move(state), (past != nullptr ? *past : c.input(0)).dtype());
  });
}

void infer_linear_attention(RuleContext& c) {
  c.set(0, c.dtype(0), Dims(3));
  c.set(1, c.dtype(c.has(3) ? 3 : 0), c.has(3) && c.dims(3) ? c.dims(3) : Dims(4));
  const auto known = [&](std::size_t i) { return c.dims(i) && c.dims(i)->size() == 3; };
  if (!known(0) || !known(1) || !known(2)) return;
  const std::int64_t heads = c.node().attr_int("q_num_heads"),
                     shared = c.node().attr_int("kv_num_heads");
  const Dims &q = *c.dims(0), &k = *c.dims(1), &v = *c.dims(2);
  const Dim wide = divided(v[2], shared);
  c.set(0, c.dtype(0), Dims{q[0], q[1], times(wide, heads)});
  c.set(1, c.dtype(c.has(3) ? 3 : 0), Dims{q[0], dim_of(shared), divided(k[2], shared), wide});
}

}  // namespace

void register_linear_attention(Registry& registry) {
  registry.add({.op = "LinearAttention",
                .since = 27,
                .make = make_linear_attention,
                .infer = infer_linear_attention});
}

}  // namespace intaglio
