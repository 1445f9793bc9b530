// com.microsoft: SkipLayerNormalization and SkipSimplifiedLayerNormalization normalize a sum of
// input, skip and bias; EmbedLayerNormalization a sum of embeddings
// (onnxruntime/docs/ContribOperators.md). SimplifiedLayerNormalization is RMSNormalization.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/simd.h"
#include "lib/exec/arguments.h"
#include "lib/exec/ops/elementwise.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/ops/layer_norm.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

INTAGLIO_CLONES void add_values(const float* a, const float* b, std::size_t count, float* y) {
  for (std::size_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
}

Tensor add(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return broadcast_map<float>(a, b, std::plus<>());
  Tensor sum(DType::f32, a.shape());
  add_values(a.data<float>().data(), b.data<float>().data(), static_cast<std::size_t>(a.size()),
             sum.mutate<float>().data());
  return sum;
}

// Inputs: input, skip, gamma, then (centered only) beta, then bias.
template <bool centered>
std::unique_ptr<Kernel> make_skip(const Node& node) {
  const LayerNorm options{static_cast<double>(node.attr_float("epsilon", 1e-12f)), centered};
  return make_kernel([options](KernelContext& c) {
    Tensor sum = add(as_float(c.input(0)), as_float(c.input(1)));
    if (sum.shape() != c.input(0).shape() || sum.rank() < 1)
      throw Error(Code::model, "a skip of shape " + to_string(c.input(1).shape()));
    const Tensor *beta = centered ? c.optional(3) : nullptr, *bias = c.optional(centered ? 4 : 3);
    if (bias != nullptr) sum = add(sum, as_float(*bias));
    LayerNormResult r = normalize_layers(sum, sum.rank() - 1, as_float(c.input(2)),
                                         beta != nullptr ? as_float(*beta) : Tensor(), options);
    set_float_output(c, 0, std::move(r.y), c.input(0).dtype());
    if (c.output_count() > 1) c.set_output(1, std::move(r.means));
    if (c.output_count() > 2) c.set_output(2, std::move(r.inverses));
    if (c.output_count() > 3) set_float_output(c, 3, std::move(sum), c.input(0).dtype());
  });
}

// Y and the inverse root mean square.
std::unique_ptr<Kernel> make_simplified(const Node& node) {
  const LayerNorm options{static_cast<double>(node.attr_float("epsilon", 1e-5f)), false};
  return make_kernel([options, axis = node.attr_int("axis", -1)](KernelContext& c) {
    const Tensor x = as_float(c.input(0));
    LayerNormResult r =
        normalize_layers(x, normalized_axis(axis, x.rank()), as_float(c.input(1)), {}, options);
    set_float_output(c, 0, std::move(r.y), c.input(0).dtype());
    if (c.output_count() > 1) c.set_output(1, std::move(r.inverses));
  });
}

// Adds rows of a table to the rows of sum.
void add_rows(const Tensor& table, const std::vector<std::int64_t>& rows, Tensor& sum) {
  const std::int64_t width = sum.shape().back();
  if (table.rank() != 2 || table.dim(1) != width)
    throw Error(Code::model, fmt::format("embeddings of shape {} for rows of {}",
                                         to_string(table.shape()), width));
  float* out = sum.mutate<float>().data();
  for (const std::int64_t row : rows) {
    const float* from = table.data<float>().data() + checked_index(row, table.dim(0)) * width;
    for (std::int64_t i = 0; i < width; ++i) *out++ += from[i];
  }
}

// Positions are 0, 1, ... in each sample unless they are given, for each sample or for all.
std::vector<std::int64_t> positions(const KernelContext& c, std::int64_t batch,
                                    std::int64_t length) {
  std::vector<std::int64_t> given;
  if (c.optional(8) != nullptr)
    given = convert(*c.optional(8), DType::s64).to_vector<std::int64_t>();
  const auto count = static_cast<std::size_t>(batch * length);
  if (c.optional(8) != nullptr && given.size() != count &&
      static_cast<std::int64_t>(given.size()) != length)
    throw Error(Code::model, "position_ids of shape " + to_string(c.optional(8)->shape()));
  std::vector<std::int64_t> result(count);
  for (std::size_t i = 0; i < count; ++i)
    result[i] = given.empty() ? static_cast<std::int64_t>(i) % length : given[i % given.size()];
  return result;
}

// The number of ones in each row of the mask; zeros without one.
Tensor valid_lengths(const Tensor* mask, std::int64_t batch, std::int64_t length) {
  Tensor result = Tensor::vector(std::vector<std::int32_t>(static_cast<std::size_t>(batch), 0));
  if (mask == nullptr) return result;
  if (mask->size() != batch * length)
    throw Error(Code::model, "a mask of shape " + to_string(mask->shape()));
  const auto values = convert(*mask, DType::s64).to_vector<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i)
    result.mutate<std::int32_t>()[i / static_cast<std::size_t>(length)] += values[i] == 1;
  return result;
}

// Inputs: input_ids, segment_ids, the embeddings of words, positions and segments, gamma, beta,
// mask and position_ids.
std::unique_ptr<Kernel> make_embed(const Node& node) {
  const LayerNorm options{static_cast<double>(node.attr_float("epsilon", 1e-12f)), true};
  return make_kernel([options](KernelContext& c) {
    const Tensor &ids = c.input(0), words = as_float(c.input(2));
    if (ids.rank() != 2 || words.rank() != 2)
      throw Error(Code::model, fmt::format("ids of shape {} for embeddings of shape {}",
                                           to_string(ids.shape()), to_string(words.shape())));
    Tensor sum(DType::f32, {ids.dim(0), ids.dim(1), words.dim(1)});
    std::fill_n(sum.mutate<float>().begin(), sum.size(), 0.0f);
    add_rows(words, convert(ids, DType::s64).to_vector<std::int64_t>(), sum);
    add_rows(as_float(c.input(3)), positions(c, ids.dim(0), ids.dim(1)), sum);
    if (c.optional(1) != nullptr && c.optional(4) != nullptr) {
      if (c.input(1).shape() != ids.shape()) throw Error(Code::model, "segment_ids do not fit ids");
      add_rows(as_float(c.input(4)), convert(c.input(1), DType::s64).to_vector<std::int64_t>(),
               sum);
    }
    LayerNormResult r =
        normalize_layers(sum, 2, as_float(c.input(5)), as_float(c.input(6)), options);
    set_float_output(c, 0, std::move(r.y), c.input(2).dtype());
    if (c.output_count() > 1) c.set_output(1, valid_lengths(c.optional(7), ids.dim(0), ids.dim(1)));
    if (c.output_count() > 2) set_float_output(c, 2, std::move(sum), c.input(2).dtype());
  });
}

// y, the means and inverse deviations of rows, and the sum.
void infer_skip(RuleContext& c) {
  std::optional<Dims> rows = c.dims(0);
  if (rows && !rows->empty()) rows->back() = dim_of(1);
  for (std::size_t i = 0; i < c.result_count(); ++i) {
    const bool of_rows = i == 1 || i == 2;
    c.set(i, of_rows ? DType::f32 : c.dtype(0), of_rows ? rows : c.dims(0));
  }
}

void infer_simplified(RuleContext& c) {
  rules::like(c);
  std::optional<Dims> dims = c.dims(0);
  for (std::size_t i = dims ? axis_of(c.node().attr_int("axis", -1), *dims) : 0;
       dims && i < dims->size(); ++i)
    (*dims)[i] = dim_of(1);
  c.set(1, DType::f32, dims);
}

void infer_embed(RuleContext& c) {
  Dims dims(3);
  if (c.dims(2)) dims[2] = c.dims(2)->at(1);
  for (std::size_t i = 0; c.dims(0) && i < 2; ++i) dims[i] = c.dims(0)->at(i);
  c.set(0, c.dtype(2), dims);
  c.set(1, DType::s32, Dims{dims[0]});
  c.set(2, c.dtype(2), dims);
}

}  // namespace

void register_microsoft_layer_normalization(Registry& registry) {
  constexpr std::string_view domain = "com.microsoft";
  registry.add({.op = "SkipLayerNormalization",
                .domain = domain,
                .make = make_skip<true>,
                .infer = infer_skip});
  registry.add({.op = "SkipSimplifiedLayerNormalization",
                .domain = domain,
                .make = make_skip<false>,
                .infer = infer_skip});
  registry.add({.op = "EmbedLayerNormalization",
                .domain = domain,
                .make = make_embed,
                .infer = infer_embed});
  // onnxruntime has this one in the domain of the standard operators.
  registry.add(
      {.op = "SimplifiedLayerNormalization", .make = make_simplified, .infer = infer_simplified});
  registry.add({.op = "SimplifiedLayerNormalization",
                .domain = domain,
                .make = make_simplified,
                .infer = infer_simplified});
}

}  // namespace intaglio
