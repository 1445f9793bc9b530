// com.microsoft: RotaryEmbedding, see rotary.h. position_ids hold one position for each place of
// each sample, or the first one alone (onnxruntime/docs/ContribOperators.md).
#include <fmt/format.h>

#include "lib/exec/ops/attention.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/ops/rotary.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// Without num_heads, the caches tell the depth of a head.
std::int64_t head_count(const Tensor& x, const Tensor& cosines, std::int64_t given) {
  if (given > 0) return given;
  const std::int64_t depth = cosines.rank() == 2 ? 2 * cosines.dim(1) : 0;
  if (depth == 0 || x.dim(2) % depth != 0)
    throw Error(Code::model, fmt::format("angles of shape {} for values of shape {}",
                                         to_string(cosines.shape()), to_string(x.shape())));
  return x.dim(2) / depth;
}

std::vector<std::int64_t> rows_of(const Tensor& positions, std::int64_t batch,
                                  std::int64_t length) {
  const auto given = convert(positions, DType::s64).to_vector<std::int64_t>();
  if (positions.rank() != 1) return given;
  constexpr std::int64_t most = std::int64_t{1} << 40;  // no cache has that many rows
  if (given.size() != 1 || given[0] < 0 || given[0] > most)
    throw Error(Code::model, "position_ids of shape " + to_string(positions.shape()));
  std::vector<std::int64_t> rows(static_cast<std::size_t>(batch * length));
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = given[0] + static_cast<std::int64_t>(i) % length;
  return rows;
}

std::unique_ptr<Kernel> make_rotary_embedding(const Node& node) {
  const RotaryOptions options{node.attr_int("rotary_embedding_dim", 0),
                              node.attr_int("interleaved", 0) != 0};
  if (node.attr_int("is_packed_batching", 0) != 0) throw Error(Code::unsupported, "packed batches");
  return make_kernel([options, heads = node.attr_int("num_heads", 0)](KernelContext& c) {
    const Tensor given = as_float(c.input(0)), cosines = as_float(c.input(2));
    const bool flat = given.rank() == 3;
    const Tensor x = flat ? split_heads(given, head_count(given, cosines, heads)) : given;
    require_rank(x, 4, "input");
    const auto rows = rows_of(c.input(1), x.dim(0), x.dim(2));
    const Tensor y = rotate(x, cosines, as_float(c.input(3)), rows, options);
    set_float_output(c, 0, flat ? join_heads(y) : y, c.input(0).dtype());
  });
}

}  // namespace

void register_microsoft_rotary_embedding(Registry& registry) {
  registry.add({.op = "RotaryEmbedding",
                .domain = "com.microsoft",
                .make = make_rotary_embedding,
                .infer = rules::like});
}

}  // namespace intaglio
