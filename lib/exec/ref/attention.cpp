// Attention (opset 23): see lib/exec/ops/attention_kernels.h.
#include "lib/exec/ops/attention_kernels.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make(const Node& node) { return standard_attention(node, attend); }

// With heads of their own: [batch, heads, length, depth].
Dims with_heads(const Dims& x, std::int64_t heads) {
  if (x.size() == 3) return {x[0], dim_of(heads), x[1], divided(x[2], heads)};
  return x.size() == 4 ? x : Dims(4);
}

void infer_attention(RuleContext& c) {
  for (std::size_t i = 0; i < c.result_count(); ++i) c.set(i, c.dtype(i == 2 ? 2 : 0), Dims(4));
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  const Node& node = c.node();
  const bool flat = c.dims(0)->size() == 3;
  const std::int64_t heads = node.attr_int("q_num_heads", 0),
                     shared = node.attr_int("kv_num_heads", 0);
  const Dims q = with_heads(*c.dims(0), heads);
  const Dims k = c.dims(1) ? with_heads(*c.dims(1), shared) : Dims(4);
  const Dims v = c.dims(2) ? with_heads(*c.dims(2), shared) : Dims(4);
  const bool past = c.has(4) && c.dims(4) && c.dims(4)->size() == 4;
  const Dim keys = !c.has(4) ? k[2] : past ? sum((*c.dims(4))[2], k[2]) : Dim{};
  c.set(0, c.dtype(0), flat ? Dims{q[0], q[2], times(v[3], heads)} : Dims{q[0], q[1], q[2], v[3]});
  c.set(1, c.dtype(0), Dims{k[0], k[1], keys, k[3]});
  c.set(2, c.dtype(2), Dims{v[0], v[1], keys, v[3]});
  c.set(3, c.dtype(0), Dims{q[0], q[1], q[2], keys});
}

}  // namespace

void register_attention(Registry& registry) {
  registry.add({.op = "Attention", .since = 23, .make = make, .infer = infer_attention});
}

}  // namespace intaglio
