// What the rules of fuse_qdq share: the ends of a cluster, and the exchange of its operator.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/passes/qdq/fuse_qdq.h"

namespace intaglio {

// Why a cluster is not taken; nullopt: it was.
using ClusterRefusal = std::optional<FloatReason>;

// Codes with their scale and zero point (never null for 8-bit codes).
struct CodesRef {
  Value *codes = nullptr, *scale = nullptr, *zero = nullptr;
  DType type = DType::undefined;
  std::int64_t axis = 1;  // of the scale, when it has several values
  bool per_tensor() const { return scale->constant().size() == 1; }
};

bool is_byte(DType type);  // u8 or s8

// What DequantizeLinear makes the value from; nullopt when something else makes it, or when its
// parameters are not constant, or by block.
std::optional<CodesRef> dequantized(const Value* value);

// What comes after an operator.
struct Tail {
  Node* clip = nullptr;    // a Relu or Clip
  bool redundant = false;  // the range of the codes does what `clip` does
  Node* quantize = nullptr;
  CodesRef codes;
};
// The result must have one reader, QuantizeLinear with one constant scale, or a Relu or Clip and
// then that; which must be redundant unless options.clip_codes.
std::variant<Tail, FloatReason> tail_of(const Node& node, const IntegerOptions& options);

// Whether a QuantizeLinear of 8 bits alone reads what a Relu or Clip makes, and values beyond the
// bounds saturate to the codes of the bounds: the conversion does its work.
bool is_implied(const Node& clip);

// True when the result goes on in float without a Relu or Clip as its only reader: then some
// operators take codes and give floats.
bool goes_on_in_float(const Node& node);

// The node becomes another operator that reads `inputs` and makes the codes of the tail, or,
// without one, its old result. A Relu or Clip of the tail that is not redundant becomes a Clip of
// codes: rounding keeps the order of values, so both come to the same.
void exchange(Node& node, std::string_view op, std::string_view domain,
              const std::vector<Value*>& inputs, const Tail* tail);

void erase_attributes(Node& node);

// A product of its first input and weights in blocks becomes a MatMulNBits of com.microsoft, with
// the attributes that it has there and no others. bias: one value for each of the n outputs; null:
// none. accuracy_level 0 is left out.
struct BlockedProduct {
  Value *codes, *scales, *zeros;  // zeros null: the middle code
  std::int64_t k, n, bits, block, accuracy_level;
};
void become_matmul_nbits(Node& node, const BlockedProduct& weights, Value* bias);

// codes, scale, zero point
void append(std::vector<Value*>& inputs, const CodesRef& codes);

// The rules. Each takes the cluster around a node, or says why not.
ClusterRefusal fuse_conv(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_matmul(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_gemm(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_unary(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_binary(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_concat(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_where(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_mover(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_split(Node& node, const IntegerOptions& options);
ClusterRefusal fuse_argmax(Node& node, const IntegerOptions& options);

// A product whose weights alone are codes becomes a MatMulNBits; false: it does not.
bool fuse_blocks(Node& node);

// A MatMul or Gemm with a float result becomes MatMulInteger - Add of the bias - Cast - Mul, all
// standard operators. bias: null, or s32.
void exchange_for_matmul_integer(Node& node, const CodesRef& a, const CodesRef& b, Value* bias);
// A Gemm of two dequantized matrices, alpha and beta 1, without operators of com.microsoft.
ClusterRefusal fuse_standard_gemm(Node& node, const IntegerOptions& options);

// The bias of a Conv or Gemm as int32 in units of x_scale * w_scale. nullptr in `value`: no bias.
struct IntegerBias {
  Value* value = nullptr;
  std::string refusal;  // a reason of kind Why::bias; empty: none
};
IntegerBias integer_bias(const Node& node, const CodesRef& x, const CodesRef& w);

// QuantizeLinear goes before operators that only move values, so that what makes the values meets
// it.
void quantize_before_movers(Graph& graph, const IntegerOptions& options);

// Float weights of a Conv, ConvTranspose or Gemm between pairs get int8 codes of one scale.
void quantize_float_weights(Graph& graph);

// Signed codes with one reader become unsigned.
void make_unsigned(Graph& graph);

// Nodes and values that nothing reads go, but for the results that somebody keeps.
void drop_unread(Graph& graph, const std::function<bool(std::string_view value)>& keep);

// Weights that stay in float are dequantized once, not in every run.
void fold_dequantized_constants(Graph& graph);

}  // namespace intaglio
