// fuse_qdq: products with weights that alone are codes.
//
//   Before: MatMul(x, DequantizeLinear(w)), or a Gemm that is no more than that and a bias
//   After:  com.microsoft.MatMulNBits(x, w in blocks of rows), accuracy level 4
//
// ONNX Runtime 1.31 does so by default (session option session.qdq_matmulnbits_accuracy_level): the
// product runs on integers, for which it rounds each block of a row of x to 8 bits. Its conditions
// (onnxruntime/core/optimizer/qdq_transformer/selectors_actions/qdq_selectors.cc): codes and scale
// are constants of 2, 4 or 8 bits that nothing else reads, with one scale in all, one for each
// column, or one for each block of 16 to 256 rows of a column (2 bits: 32 to 128), x is not
// dequantized, the result is not quantized, and no Relu or Clip behind it could go with the
// product.
#include <algorithm>
#include <bit>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"
#include "lib/passes/qdq/cluster.h"

namespace intaglio {
namespace {

constexpr std::int64_t usual_block = 32;  // rows, the default of the session

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

// A matrix of codes; zero may be null.
struct Weights {
  const Value *codes, *scale, *zero;
  std::int64_t block;  // rows of a scale; 0: all
  DType type() const { return codes->constant().dtype(); }
};

bool constant(const Value* value) { return value != nullptr && value->is_constant(); }

// One scale in all, one for each column, or one for each block of a column.
bool scales_fit(const Node& dequantize, const Weights& w) {
  const Tensor& scale = w.scale->constant();
  const std::int64_t rows = w.codes->constant().dim(0), columns = w.codes->constant().dim(1);
  const std::int64_t axis = dequantize.attr_int("axis", 1);
  if (w.block == 0 && scale.rank() == 0) return true;
  if (w.block == 0)
    return scale.rank() == 1 && scale.size() == columns && (axis == 1 || axis == -1);
  const bool two_bits = bits_of(w.type()) == 2;
  const std::int64_t least = two_bits ? 32 : 16, most = two_bits ? 128 : 256;
  return std::has_single_bit(static_cast<std::uint64_t>(w.block)) && w.block >= least &&
         w.block <= most && (axis == 0 || axis == -2) &&
         scale.shape() == Shape{(rows + w.block - 1) / w.block, columns};
}

std::optional<Weights> weights_of(const Value* value) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  if (node == nullptr || !node->is("DequantizeLinear") || !constant(node->input(0)) ||
      !constant(node->input(1)) || (node->input(2) != nullptr && !constant(node->input(2))))
    return std::nullopt;
  const Weights w{node->input(0), node->input(1), node->input(2), node->attr_int("block_size", 0)};
  const bool alone = w.codes->uses().size() == 1 && w.scale->uses().size() == 1;
  if (!alone || w.codes->rank() != 2 || !is_narrow_code(w.type()) ||
      w.scale->constant().dtype() != DType::f32 || !scales_fit(*node, w))
    return std::nullopt;
  if (w.zero != nullptr && w.zero->constant().shape() != w.scale->constant().shape())
    return std::nullopt;
  return w;
}

struct Blocks {
  Tensor codes, scale, zero;  // [N, blocks, bytes], [N * blocks], [N, bytes]
};

// Packed rows of `width` codes each.
void pack_row(std::span<const std::uint8_t> row, std::size_t bits, std::byte*& to) {
  pack_bits(row, bits, to);
  to += (row.size() * bits + 7) / 8;
}

// Unsigned codes by column; what is beyond the last row has the code of zero.
Blocks in_blocks(const Weights& w) {
  const Tensor& codes = w.codes->constant();
  const std::int64_t rows = codes.dim(0), columns = codes.dim(1);
  const std::int64_t block = w.block > 0 ? w.block : usual_block;
  const std::int64_t count = (rows + block - 1) / block;
  const std::size_t bits = bits_of(w.type());
  const std::int32_t shift = is_signed_code(w.type()) ? 1 << (bits - 1) : 0;
  const auto from = codes.to_vector<std::uint8_t>();  // negative ones modulo 256
  const auto scales = w.scale->constant().to_vector<float>();
  std::vector<std::int32_t> zeros(scales.size(), 0);
  if (w.zero != nullptr) zeros = w.zero->constant().to_vector<std::int32_t>();
  const auto bytes = static_cast<std::int64_t>(bits);
  Blocks blocks{Tensor(DType::u8, {columns, count, block * bytes / 8}),
                Tensor(DType::f32, {columns * count}),
                Tensor(DType::u8, {columns, (count * bytes + 7) / 8})};
  std::byte *to = blocks.codes.raw_mutate(), *zero = blocks.zero.raw_mutate();
  float* scale = blocks.scale.mutate<float>().data();
  constexpr std::int64_t at_once = 64;  // columns, of which a row is a line of the cache
  std::vector<std::uint8_t> part(static_cast<std::size_t>(rows * at_once)),
      column(static_cast<std::size_t>(count * block)), none(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < columns; ++n) {
    const std::int64_t in = n % at_once, width = std::min(at_once, columns - n);
    for (std::int64_t k = 0; in == 0 && k < rows; ++k)
      std::copy_n(from.begin() + k * columns + n, width, part.begin() + k * at_once);
    for (std::int64_t b = 0; b < count; ++b) {
      const std::int64_t at = scales.size() == 1 ? 0 : w.block > 0 ? b * columns + n : n;
      *scale++ = scales[static_cast<std::size_t>(at)];
      none[static_cast<std::size_t>(b)] =
          static_cast<std::uint8_t>(zeros[static_cast<std::size_t>(at)] + shift);
    }
    for (std::int64_t k = 0; k < rows; ++k)
      column[static_cast<std::size_t>(k)] =
          static_cast<std::uint8_t>(part[static_cast<std::size_t>(k * at_once + in)] + shift);
    std::fill(column.begin() + rows, column.end(), none.back());
    pack_row(column, bits, to);
    pack_row(none, bits, zero);
  }
  return blocks;
}

}  // namespace

bool fuse_blocks(Node& node) {
  if ((!node.is("MatMul") && !node.is("Gemm")) || node.input(0) == nullptr ||
      reads_codes(node.input(0)) || only_reader(node.input(1)) != &node)
    return false;
  const auto w = weights_of(node.input(1));
  if (!w) return false;
  const std::int64_t rows = w->codes->constant().dim(0), columns = w->codes->constant().dim(1);
  if ((node.is("Gemm") && !is_plain(node, columns)) || belongs_to_pairs(node, columns))
    return false;
  Graph& graph = node.graph();
  const Blocks blocks = in_blocks(*w);
  const std::string& name = w->codes->name();
  become_matmul_nbits(
      node,
      {&graph.add_constant(name + "_blocks", blocks.codes),
       &graph.add_constant(name + "_block_scale", blocks.scale),
       &graph.add_constant(name + "_block_zero_point", blocks.zero), rows, columns,
       static_cast<std::int64_t>(bits_of(w->type())), w->block > 0 ? w->block : usual_block, 4},
      node.input(2));
  return true;
}

}  // namespace intaglio
