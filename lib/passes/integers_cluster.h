// What the rules of integers_fused share: the ends of a cluster, and the exchange of its operator.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/graph/graph.h"

namespace intaglio {

// Why a cluster is not taken; nullopt: it was.
using ClusterRefusal = std::optional<std::string>;

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
  Node* clip = nullptr;  // a Relu or Clip that the range of the codes makes redundant
  Node* quantize = nullptr;
  CodesRef codes;
};
// The result must have one reader, QuantizeLinear with one constant scale, or a redundant Relu or
// Clip and then that.
std::variant<Tail, std::string> tail_of(const Node& node);

// True when the result goes on in float without a Relu or Clip as its only reader: then some
// operators take codes and give floats.
bool goes_on_in_float(const Node& node);

// The node becomes another operator that reads `inputs` and makes the codes of the tail, or,
// without one, its old result.
void exchange(Node& node, std::string_view op, std::string_view domain,
              const std::vector<Value*>& inputs, const Tail* tail);

// codes, scale, zero point
void append(std::vector<Value*>& inputs, const CodesRef& codes);

// The rules. Each takes the cluster around a node, or says why not.
ClusterRefusal fuse_conv(Node& node);
ClusterRefusal fuse_matmul(Node& node);
ClusterRefusal fuse_gemm(Node& node);
ClusterRefusal fuse_unary(Node& node);
ClusterRefusal fuse_binary(Node& node);
ClusterRefusal fuse_concat(Node& node);
ClusterRefusal fuse_where(Node& node);
ClusterRefusal fuse_mover(Node& node);
ClusterRefusal fuse_split(Node& node);
ClusterRefusal fuse_argmax(Node& node);

// The bias of a Conv or Gemm as int32 in units of x_scale * w_scale. nullptr in `value`: no bias.
struct IntegerBias {
  Value* value = nullptr;
  std::string refusal;
};
IntegerBias integer_bias(const Node& node, const CodesRef& x, const CodesRef& w);

// QuantizeLinear goes before operators that only move values, so that what makes the values meets
// it.
void quantize_before_movers(Graph& graph);

// Signed codes with one reader become unsigned.
void make_unsigned(Graph& graph);

// Nodes and values that nothing reads go, but for the results that somebody keeps.
void drop_unread(Graph& graph, const std::function<bool(std::string_view value)>& keep);

// Weights that stay in float are dequantized once, not in every run.
void fold_dequantized_constants(Graph& graph);

}  // namespace intaglio
