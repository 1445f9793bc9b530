// What the standard operators mean for quantization: one row for each in op_traits.cpp, read by
// drafts, ranges, passes, writers, checks and corrections. To have an operator taken into account,
// give it a row; tests/rewrite/op_traits_test.cpp compares the rows with kernels and targets.
//
// What stands elsewhere: formulas of an operator's own (lib/exec, lib/graph/macs.h, layer.h of
// calibration/refine), how a node may look (validate.h), and faults of one runtime's kernels
// (lib/quant/kernel_limits.h).
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "lib/graph/graph.h"

namespace intaglio {

struct Interval {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
};

enum class WeightKind {
  none,
  product,  // the second input, multiplied with data; MatMul may have it first
  gates,    // W and R of a recurrence, inputs 1 and 2; it computes on floats whatever they are
  table,    // the first input, when it is a large constant: rows are looked up
};

// Which change of single channels the result shows as the data did.
enum class ChannelChange {
  none,
  scale,            // f(s x) = s f(x), s > 0
  unpadded_shift,   // that, and f(x + m) = f(x) + m where it pads nothing
  scale_and_shift,  // both
};

// How onnxruntime's QDQ transformer takes it (lib/passes/qdq/fuse_qdq.h).
enum class QdqRule { none, conv, matmul, gemm, binary, unary, concat, where, split, argmax, mover };

// How many axes the result has.
enum class RankRule { other, first_input, broadcast };

// The operator that computes the same on codes.
struct IntegerTwin {
  std::string_view op, domain;
};

struct OpTraits {
  std::string_view op;

  // --- What becomes of values ---
  // Results hold elements of input 0, moved, repeated or chosen; Concat, which joins values, aside.
  bool moves = false;
  // Of one that moves: whether this node makes new values on its way all the same. Null: never.
  bool (*makes_values)(const Node& node) = nullptr;
  bool relabels = false;  // the result is the same bytes under another shape
  bool joins = false;     // the result is all inputs side by side
  bool sums = false;      // the result is the sum of the inputs
  bool picks = false;     // it compares values and takes one: on codes, when the scale is positive
  bool clips = false;     // it cuts values off beyond bounds, which codes that saturate do as well
  // By element, and the last axes stay the last.
  bool keeps_rows = false;
  // An image's few levels stay few, also when they are mapped by constants.
  bool keeps_levels = false;
  // Small values stay small beside large ones, as far as the operator goes.
  bool keeps_small = false;
  // Scores stay scores: clipping what it reads changes answers as clipping its result would.
  bool keeps_scores = false;
  bool pools = false;  // one result of a window; the Reduce operators do so by their name
  bool steep = false;  // small differences of its input matter

  // --- Ranges ---
  Interval (*result)(const Node& node) = nullptr;  // all that it can make; null: anything
  // Where the result depends on the input, as far as codes of so many bits could tell; null:
  // everywhere.
  Interval (*active)(const Node& node, std::size_t bits) = nullptr;
  // Its slope is below 7 % of that at 0 farther from 0 than this; 0: not so.
  float rises_within = 0;
  float (*slope_below_zero)(const Node& node) = nullptr;  // above, it is 1; null: not so
  // It never falls (where `alpha` is not negative), and a MaxPool behind it may go ahead of it.
  // Clip is left out: what computes the data does its work.
  bool pools_first = false;

  // --- Channels and weights ---
  ChannelChange channels = ChannelChange::none;
  WeightKind weights = WeightKind::none;
  int channel_axis = -1;  // of a product's weight; of Gemm without transB, of MatMul of rank 2

  // --- Integer forms, and what onnxruntime does ---
  IntegerTwin twin = {};  // no op: none
  QdqRule qdq = QdqRule::none;
  bool pairs_move = false;     // QuantizeLinear and DequantizeLinear are moved over it
  bool joins_product = false;  // it may become part of the product before it
  bool fused_by_name = false;  // FusedConv and the like name it as their `activation`

  RankRule rank = RankRule::other;
};

// All rows, sorted by operator.
std::span<const OpTraits> all_op_traits();

// The row of a standard operator; null: it has none.
const OpTraits* find_traits(std::string_view op);

// The same of a node; one that nothing is known of when it has none.
const OpTraits& traits_of(const Node& node);

// The row whose twin the node is; null: it is none.
const OpTraits* computes_as(const Node& node);

// The bounds of a Clip: attributes before opset 11, constant inputs since. nullopt: computed.
std::optional<Interval> clip_bounds(const Node& clip);

}  // namespace intaglio
