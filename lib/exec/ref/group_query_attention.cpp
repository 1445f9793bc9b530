// com.microsoft: GroupQueryAttention, see lib/exec/ops/attention_kernels.h.
#include "lib/exec/ops/attention_kernels.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make(const Node& node) { return group_query_attention(node, attend); }

// The cache is as long as the past or the total length, whichever is more.
Dim kept_length(const RuleContext& c, const Dim& length) {
  const auto total = c.ints(6);
  const bool past = c.dims(3) && c.dims(3)->size() == 4;
  if (total && total->size() == 1 && past && (*c.dims(3))[2].known())
    return dim_of(std::max(total->front(), (*c.dims(3))[2].value));
  if (total && total->size() == 1 && !c.has(3)) return dim_of(total->front());
  return c.has(3) ? Dim{} : length;
}

void infer(RuleContext& c) {
  const std::int64_t heads = c.node().attr_int("num_heads"),
                     groups = c.node().attr_int("kv_num_heads");
  for (std::size_t i = 0; i < c.result_count(); ++i) c.set(i, c.dtype(0));
  if (!c.dims(0) || c.dims(0)->size() != 3) return;
  const Dim batch = (*c.dims(0))[0], length = (*c.dims(0))[1], wide = (*c.dims(0))[2];
  const Dim depth = divided(wide, c.has(1) ? heads : heads + 2 * groups);
  c.set(0, c.dtype(0), Dims{batch, length, times(depth, heads)});
  const Dims cache{batch, dim_of(groups), kept_length(c, length), depth};
  c.set(1, c.dtype(0), cache);
  c.set(2, c.dtype(0), cache);
}

}  // namespace

void register_group_query_attention(Registry& registry) {
  registry.add({.op = "GroupQueryAttention",
                .domain = "com.microsoft",
                .refuse = refuse_group_query_attention,
                .make = make,
                .infer = infer});
}

}  // namespace intaglio
