// fuse_qdq: products with weights that alone are codes.
//
//   Before: MatMul(x, DequantizeLinear(w_int8)), or a Gemm that is no more than that and a bias
//   After:  com.microsoft.MatMulNBits(x, w in blocks of rows), accuracy level 4
//
// ONNX Runtime 1.31 does so by default (session option session.qdq_matmulnbits_accuracy_level): the
// product runs on integers, for which it rounds each block of a row of x to 8 bits. Its conditions
// (onnxruntime/core/optimizer/qdq_transformer/selectors_actions/qdq_selectors.cc): codes and scale
// are constants that nothing else reads, 8, 4 or 2 bits, one scale in all or one for each column
// (then in blocks of 32) or blocks along the rows of 16 to 256, x is not dequantized, the result is not quantized, and no Relu or Clip behind it could go with the
// product.
#include <algorithm>

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

// Codes (K, N) of weights, with one scale in all, one a column, or one a column for each block of
// rows.
struct BlockedWeights {
  const Value* codes = nullptr;
  const Tensor *scale = nullptr, *zero = nullptr;  // zero null: all 0
  std::int64_t block = usual_block;
  bool by_block = false;
};

bool read_once(const Value* value) {
  return value != nullptr && value->is_constant() && value->uses().size() == 1;
}

// A whole tensor or columns: the blocks are those of the session.
std::optional<BlockedWeights> of_columns(const Node& dequantize) {
  const auto w = dequantized(dequantize.output(0));
  if (!w || !is_byte(w->type)) return std::nullopt;
  const Tensor &scale = w->scale->constant(), &zero = w->zero->constant();
  const bool column = scale.rank() == 1 && scale.size() == w->codes->constant().dim(1) &&
                      dequantize.attr_int("axis", 1) == 1 && zero.size() == scale.size();
  if (!column && (scale.rank() != 0 || zero.rank() != 0)) return std::nullopt;
  return BlockedWeights{w->codes, &scale, &zero};
}

bool is_block_size(std::int64_t size) {
  return size >= 16 && size <= 256 && (size & (size - 1)) == 0;
}

// Blocks along the rows, as the node has them.
std::optional<BlockedWeights> of_blocks(const Node& dequantize) {
  const std::int64_t block = dequantize.attr_int("block_size", 0),
                     axis = dequantize.attr_int("axis", 1);
  const Value *codes = dequantize.input(0), *scale = dequantize.input(1),
              *zero = dequantize.input(2);
  if (!is_block_size(block) || (axis != 0 && axis != -2) || !read_once(scale) ||
      (zero != nullptr && !zero->is_constant()))
    return std::nullopt;
  const Shape& shape = codes->constant().shape();
  const Shape wanted = {(shape[0] + block - 1) / block, shape[1]};
  const Tensor& scales = scale->constant();
  if (scales.dtype() != DType::f32 || scales.shape() != wanted ||
      (zero != nullptr && zero->constant().shape() != wanted))
    return std::nullopt;
  return BlockedWeights{codes, &scales, zero == nullptr ? nullptr : &zero->constant(), block, true};
}

std::optional<BlockedWeights> weights_of(const Value* value) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  if (node == nullptr || !node->is("DequantizeLinear") || !read_once(node->input(0)) ||
      !read_once(node->input(1)) || node->input(0)->rank() != 2)
    return std::nullopt;
  const DType type = node->input(0)->constant().dtype();
  if (!is_byte(type) && !is_packed(type)) return std::nullopt;
  return node->attr_int("block_size", 0) > 0 ? of_blocks(*node) : of_columns(*node);
}

struct Blocks {
  Tensor codes, scale, zero;  // [N, blocks, bytes], [N, blocks], [N, bytes]
};

// Unsigned codes by column; what is beyond the last row has the code of zero.
Blocks in_blocks(const BlockedWeights& w) {
  const Tensor& codes = w.codes->constant();
  const DType type = codes.dtype();
  const std::int64_t rows = codes.dim(0), columns = codes.dim(1), block = w.block;
  const std::int64_t count = (rows + block - 1) / block;
  const auto bits = static_cast<std::int64_t>(bits_of(type));
  const bool is_signed = type == DType::s8 || type == DType::s4 || type == DType::s2;
  const std::int32_t shift = is_signed ? 1 << (bits - 1) : 0;
  const auto from = codes.to_vector<std::int32_t>();
  const auto scales = w.scale->to_vector<float>();
  const auto zeros = w.zero == nullptr ? std::vector<std::int32_t>(scales.size())
                                       : w.zero->to_vector<std::int32_t>();
  const std::int64_t zero_bytes = (count * bits + 7) / 8;
  Blocks blocks{Tensor(DType::u8, {columns, count, block * bits / 8}),
                Tensor(DType::f32, {columns, count}), Tensor(DType::u8, {columns, zero_bytes})};
  const auto scale = blocks.scale.mutate<float>();
  std::byte *to = blocks.codes.raw_mutate(), *zero_to = blocks.zero.raw_mutate();
  std::vector<std::int32_t> line(static_cast<std::size_t>(count * block)),
      nothing(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < columns; ++n) {
    for (std::int64_t b = 0; b < count; ++b) {
      const auto at = static_cast<std::size_t>(scales.size() == 1 ? 0
                                               : w.by_block       ? b * columns + n
                                                                  : n);
      const auto i = static_cast<std::size_t>(b);
      nothing[i] = zeros[at] + shift;
      scale[static_cast<std::size_t>(n * count) + i] = scales[at];
      for (std::int64_t k = b * block; k < (b + 1) * block; ++k)
        line[static_cast<std::size_t>(k)] =
            k < rows ? from[static_cast<std::size_t>(k * columns + n)] + shift : nothing[i];
    }
    const auto width = static_cast<std::size_t>(bits);
    if (bits == 8) {
      for (std::size_t k = 0; k < line.size(); ++k) to[k] = static_cast<std::byte>(line[k]);
      for (std::size_t b = 0; b < nothing.size(); ++b)
        zero_to[b] = static_cast<std::byte>(nothing[b]);
    } else {
      pack_bits<std::int32_t>(line, width, to);
      pack_bits<std::int32_t>(nothing, width, zero_to);
    }
    to += count * block * bits / 8;
    zero_to += zero_bytes;
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
  Value* bias = node.input(2);
  std::vector<Value*> inputs = {node.input(0), &graph.add_constant(name + "_blocks", blocks.codes),
                                &graph.add_constant(name + "_block_scale", blocks.scale),
                                &graph.add_constant(name + "_block_zero_point", blocks.zero)};
  if (bias != nullptr) inputs.insert(inputs.end(), {nullptr, bias});
  for (const std::string& attr : node.attrs()) node.erase_attr(attr);
  exchange(node, "MatMulNBits", "com.microsoft", inputs, nullptr);
  for (const auto& [attr, value] :
       {std::pair<const char*, std::int64_t>{"K", rows},
        {"N", columns},
        {"bits", static_cast<std::int64_t>(bits_of(w->codes->constant().dtype()))},
        {"block_size", w->block},
        {"accuracy_level", 4}})
    node.set_attr(attr, value);
  return true;
}

}  // namespace intaglio
