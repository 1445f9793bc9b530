// fuse_qdq: products with weights that alone are codes.
//
//   Before: MatMul(x, DequantizeLinear(w_int8)), or a Gemm that is no more than that and a bias
//   After:  com.microsoft.MatMulNBits(x, w in blocks of 32 rows), accuracy level 4
//
// ONNX Runtime 1.31 does so by default (session option session.qdq_matmulnbits_accuracy_level): the
// product runs on integers, for which it rounds each block of a row of x to 8 bits. Its conditions
// (onnxruntime/core/optimizer/qdq_transformer/selectors_actions/qdq_selectors.cc): codes and scale
// are constants that nothing else reads, one scale in all or one for each column, x is not
// dequantized, the result is not quantized, and no Relu or Clip behind it could go with the
// product.
#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"
#include "lib/passes/qdq/cluster.h"

namespace intaglio {
namespace {

constexpr std::int64_t block = 32;  // rows, the default of the session

bool reads_codes(const Value* value) {
  return value != nullptr && value->producer() != nullptr &&
         value->producer()->is("DequantizeLinear");
}

// What alone reads the result of the product; of a MatMul of two axes and its bias, that of the
// sum: the runtime makes a Gemm of the two before.
const Node* reader_of(const Node& product, std::int64_t columns) {
  const Node* reader = only_reader(product.output(0));
  const Value* x = product.input(0);
  if (reader == nullptr || !product.is("MatMul") || x->rank() != 2 || !reader->is("Add"))
    return reader;
  const Value* bias = reader->input(reader->input(0) == product.output(0) ? 1 : 0);
  const bool fits = bias != nullptr && bias->is_constant() && bias->constant().rank() >= 1 &&
                    bias->constant().size() == columns;
  return fits ? only_reader(reader->output(0)) : reader;
}

// Where its rules look for a QuantizeLinear to go with: behind a Relu or Clip, too, and without one
// they leave the product alone.
bool belongs_to_pairs(const Node& product, std::int64_t columns) {
  const auto quantizes = [](const Use& use) { return use.node->is("QuantizeLinear"); };
  if (std::ranges::any_of(product.output(0)->uses(), quantizes)) return true;
  const Node* clip = reader_of(product, columns);
  if (clip == nullptr || !traits_of(*clip).clips) return false;
  const Value* clipped = clip->output(0);
  return clipped != nullptr && !clipped->is_output() && clipped->uses().size() == 1;
}

// A Gemm that is a MatMul and a bias for each column.
bool is_plain(const Node& gemm, std::int64_t columns) {
  if (gemm.attr_float("alpha", 1) != 1 || gemm.attr_int("transA", 0) != 0 ||
      gemm.attr_int("transB", 0) != 0)
    return false;
  const Value* bias = gemm.input(2);
  if (bias == nullptr) return true;
  return gemm.attr_float("beta", 1) == 1 && bias->rank() == 1 &&
         (*bias->dims())[0].value == columns;
}

bool suits(const Node& dequantize, const CodesRef& w) {
  if (!w.codes->is_constant() || w.codes->rank() != 2 || !is_byte(w.type) ||
      w.codes->uses().size() != 1 || w.scale->uses().size() != 1)
    return false;
  const Tensor& scale = w.scale->constant();
  if (scale.rank() == 0) return w.zero->constant().rank() == 0;
  return scale.rank() == 1 && scale.size() == w.codes->constant().dim(1) &&
         dequantize.attr_int("axis", 1) == 1 && w.zero->constant().size() == scale.size();
}

struct Blocks {
  Tensor codes, scale, zero;  // [N, blocks, 32], [N * blocks], [N * blocks]
};

// Unsigned codes by column; what is beyond the last row has the code of zero.
Blocks in_blocks(const CodesRef& w) {
  const Tensor& codes = w.codes->constant();
  const std::int64_t rows = codes.dim(0), columns = codes.dim(1);
  const std::int64_t count = (rows + block - 1) / block;
  const std::int32_t shift = w.type == DType::s8 ? 128 : 0;
  const auto from = codes.to_vector<std::int32_t>();
  const auto scales = w.scale->constant().to_vector<float>();
  const auto zeros = w.zero->constant().to_vector<std::int32_t>();
  Blocks blocks{Tensor(DType::u8, {columns, count, block}), Tensor(DType::f32, {columns * count}),
                Tensor(DType::u8, {columns * count})};
  const auto to = blocks.codes.mutate<std::uint8_t>();
  const auto scale = blocks.scale.mutate<float>();
  const auto zero = blocks.zero.mutate<std::uint8_t>();
  for (std::int64_t n = 0; n < columns; ++n) {
    const auto c = scales.size() == 1 ? std::size_t{0} : static_cast<std::size_t>(n);
    const auto none = static_cast<std::uint8_t>(zeros[c] + shift);
    for (std::int64_t k = 0; k < count * block; ++k)
      to[static_cast<std::size_t>(n * count * block + k)] =
          k < rows
              ? static_cast<std::uint8_t>(from[static_cast<std::size_t>(k * columns + n)] + shift)
              : none;
    std::fill_n(scale.begin() + n * count, count, scales[c]);
    std::fill_n(zero.begin() + n * count, count, none);
  }
  return blocks;
}

}  // namespace

bool fuse_blocks(Node& node) {
  if ((!node.is("MatMul") && !node.is("Gemm")) || node.input(0) == nullptr ||
      reads_codes(node.input(0)) || only_reader(node.input(1)) != &node)
    return false;
  const auto w = dequantized(node.input(1));
  if (!w || !suits(*node.input(1)->producer(), *w)) return false;
  const std::int64_t rows = w->codes->constant().dim(0), columns = w->codes->constant().dim(1);
  if ((node.is("Gemm") && !is_plain(node, columns)) || belongs_to_pairs(node, columns))
    return false;
  Graph& graph = node.graph();
  const Blocks blocks = in_blocks(*w);
  const std::string& name = w->codes->name();
  Value* bias = node.input(2);
  std::vector<Value*> inputs = {node.input(0), &graph.add_constant(name + "_blocks", blocks.codes),
                                &graph.add_constant(name + "_block_scale", blocks.scale),
                                &graph.add_constant(name + "_block_zero_point", blocks.zero)};
  if (bias != nullptr) inputs.insert(inputs.end(), {nullptr, bias});
  for (const std::string& attr : node.attrs()) node.erase_attr(attr);
  exchange(node, "MatMulNBits", "com.microsoft", inputs, nullptr);
  for (const auto& [attr, value] : {std::pair<const char*, std::int64_t>{"K", rows},
                                    {"N", columns},
                                    {"bits", 8},
                                    {"block_size", block},
                                    {"accuracy_level", 4}})
    node.set_attr(attr, value);
  return true;
}

}  // namespace intaglio
