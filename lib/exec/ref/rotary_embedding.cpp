// RotaryEmbedding (opset 23): see rotary.h. Without position_ids the caches have one row for each
// position of each sample.
#include <numeric>

#include "lib/exec/ops/attention.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/ops/rotary.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

std::unique_ptr<Kernel> make_rotary_embedding(const Node& node) {
  const RotaryOptions options{node.attr_int("rotary_embedding_dim", 0),
                              node.attr_int("interleaved", 0) != 0};
  return make_kernel([options, heads = node.attr_int("num_heads", 0)](KernelContext& c) {
    const bool flat = c.input(0).rank() == 3;
    const Tensor given = as_float(c.input(0));
    const Tensor x = flat ? split_heads(given, heads) : given;
    require_rank(x, 4, "input");
    std::vector<std::int64_t> rows(static_cast<std::size_t>(x.dim(0) * x.dim(2)));
    std::iota(rows.begin(), rows.end(), 0);
    if (c.optional(3) != nullptr) rows = c.optional(3)->to_vector<std::int64_t>();
    const Tensor y = rotate(x, as_float(c.input(1)), as_float(c.input(2)), rows, options);
    set_float_output(c, 0, flat ? join_heads(y) : y, c.input(0).dtype());
  });
}

}  // namespace

void register_rotary_embedding(Registry& registry) {
  registry.add(
      {.op = "RotaryEmbedding", .since = 23, .make = make_rotary_embedding, .infer = rules::like});
}

}  // namespace intaglio
