#include "lib/graph/op_traits.h"

#include <algorithm>
#include <array>

namespace intaglio {
namespace {

constexpr std::string_view microsoft = "com.microsoft";
constexpr float infinity = std::numeric_limits<float>::infinity();

// A bound of Clip; nullopt when it is not a constant.
std::optional<float> clip_bound(const Node& node, std::string_view attr, std::size_t input,
                                float fallback) {
  if (node.opset() < 11) return node.attr_float(attr, fallback);
  const Value* value = node.input(input);
  if (value == nullptr) return fallback;
  if (!value->is_constant() || value->dtype() != DType::f32 || value->constant().size() != 1)
    return std::nullopt;
  return value->constant().item<float>();
}

// --- Results ---

Interval from_0(const Node&) { return {.lo = 0}; }
Interval from_0_to_1(const Node&) { return {0, 1}; }
Interval from_minus_1_to_1(const Node&) { return {-1, 1}; }
Interval clipped(const Node& node) {
  const auto bounds = clip_bounds(node);
  return bounds && bounds->lo <= bounds->hi ? *bounds : Interval{};
}

// --- Active ranges ---

Interval relu_active(const Node&, std::size_t) { return {.lo = 0}; }
Interval clip_active(const Node& node, std::size_t) { return clipped(node); }
Interval hard_swish_active(const Node&, std::size_t) { return {.lo = -3}; }
Interval hard_sigmoid_active(const Node& node, std::size_t) {
  const float alpha = node.attr_float("alpha", 0.2f), beta = node.attr_float("beta", 0.5f);
  return alpha > 0 ? Interval{-beta / alpha, (1 - beta) / alpha} : Interval{};
}
// Beyond, it is within a tenth of a step of 8 bits of 0 and 1, and within one of 16 bits.
Interval sigmoid_active(const Node&, std::size_t bits) {
  return bits > 8 ? Interval{-12, 12} : Interval{-8, 8};
}

float alpha_of_leaky(const Node& node) { return node.attr_float("alpha", 0.01f); }

// --- What moves values, and makes some ---

bool fills(const Node& pad) {
  if (pad.attr_string("mode", "constant") != "constant") return false;
  const Value* fill = pad.input(2);
  return fill != nullptr && (!fill->is_constant() || fill->constant().item<float>() != 0);
}
bool overshoots(const Node& resize) { return resize.attr_string("mode", "nearest") == "cubic"; }

constexpr std::array rows = {
    OpTraits{.op = "Abs", .keeps_small = true, .rank = RankRule::first_input},
    OpTraits{.op = "Add",
             .sums = true,
             .keeps_rows = true,
             .keeps_levels = true,
             .keeps_small = true,
             .twin = {"QLinearAdd", microsoft},
             .qdq = QdqRule::binary,
             .joins_product = true,
             .rank = RankRule::broadcast},
    OpTraits{.op = "ArgMax", .qdq = QdqRule::argmax},
    OpTraits{.op = "AveragePool",
             .keeps_scores = true,
             .pools = true,
             .channels = ChannelChange::unpadded_shift,
             .twin = {"QLinearAveragePool", microsoft},
             .qdq = QdqRule::unary},
    OpTraits{.op = "BatchNormalization", .rank = RankRule::first_input},
    OpTraits{.op = "Cast",
             .keeps_rows = true,
             .keeps_levels = true,
             .keeps_small = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "Clip",
             .clips = true,
             .keeps_small = true,
             .result = clipped,
             .active = clip_active,
             .joins_product = true,
             .fused_by_name = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "Concat",
             .joins = true,
             .keeps_levels = true,
             .keeps_small = true,
             .keeps_scores = true,
             .twin = {"QLinearConcat", microsoft},
             .qdq = QdqRule::concat,
             .rank = RankRule::first_input},
    OpTraits{.op = "Conv",
             .weights = WeightKind::product,
             .channel_axis = 0,
             .twin = {"QLinearConv", ""},
             .qdq = QdqRule::conv,
             .rank = RankRule::first_input},
    OpTraits{.op = "ConvTranspose", .weights = WeightKind::product, .channel_axis = 1},
    OpTraits{.op = "DepthToSpace", .moves = true},
    OpTraits{.op = "Div",
             .keeps_rows = true,
             .keeps_levels = true,
             .keeps_small = true,
             .joins_product = true,
             .rank = RankRule::broadcast},
    OpTraits{
        .op = "Dropout", .channels = ChannelChange::scale_and_shift, .rank = RankRule::first_input},
    OpTraits{.op = "Elu", .pools_first = true},
    OpTraits{.op = "Erf", .steep = true, .rank = RankRule::first_input},
    OpTraits{.op = "Exp", .steep = true, .rank = RankRule::first_input},
    OpTraits{.op = "Expand", .moves = true, .qdq = QdqRule::mover},
    OpTraits{.op = "Flatten",
             .moves = true,
             .relabels = true,
             .keeps_small = true,
             .keeps_scores = true,
             .qdq = QdqRule::mover},
    OpTraits{.op = "GRU", .weights = WeightKind::gates},
    OpTraits{.op = "Gather",
             .moves = true,
             .keeps_small = true,
             .weights = WeightKind::table,
             .qdq = QdqRule::mover},
    OpTraits{.op = "GatherElements", .moves = true, .qdq = QdqRule::mover},
    OpTraits{.op = "Gelu", .fused_by_name = true},
    OpTraits{.op = "Gemm",
             .weights = WeightKind::product,
             .channel_axis = 1,
             .twin = {"QGemm", microsoft},
             .qdq = QdqRule::gemm},
    OpTraits{.op = "GlobalAveragePool",
             .keeps_scores = true,
             .pools = true,
             .channels = ChannelChange::scale_and_shift,
             .twin = {"QLinearGlobalAveragePool", microsoft},
             .qdq = QdqRule::unary},
    OpTraits{.op = "GlobalMaxPool", .pools = true, .channels = ChannelChange::scale_and_shift},
    OpTraits{.op = "HardSigmoid",
             .result = from_0_to_1,
             .active = hard_sigmoid_active,
             .pools_first = true,
             .fused_by_name = true},
    OpTraits{.op = "HardSwish", .active = hard_swish_active},
    OpTraits{.op = "Identity",
             .relabels = true,
             .keeps_rows = true,
             .keeps_levels = true,
             .keeps_small = true,
             .keeps_scores = true,
             .channels = ChannelChange::scale_and_shift,
             .rank = RankRule::first_input},
    OpTraits{.op = "LSTM", .weights = WeightKind::gates},
    OpTraits{.op = "LayerNormalization", .steep = true},
    OpTraits{.op = "LeakyRelu",
             .slope_below_zero = alpha_of_leaky,
             .pools_first = true,
             .channels = ChannelChange::scale,
             .twin = {"QLinearLeakyRelu", microsoft},
             .qdq = QdqRule::unary,
             .fused_by_name = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "LogSoftmax", .keeps_scores = true},
    OpTraits{.op = "LpPool", .pools = true},
    OpTraits{.op = "MatMul",
             .weights = WeightKind::product,
             .channel_axis = 1,
             .twin = {"QLinearMatMul", ""},
             .qdq = QdqRule::matmul,
             .rank = RankRule::broadcast},
    OpTraits{.op = "Max", .keeps_small = true},
    OpTraits{.op = "MaxPool",
             .moves = true,
             .picks = true,
             .pools = true,
             .channels = ChannelChange::scale_and_shift,
             .qdq = QdqRule::mover,
             .pairs_move = true},
    OpTraits{.op = "Mish"},
    OpTraits{.op = "Mul",
             .keeps_rows = true,
             .keeps_levels = true,
             .keeps_small = true,
             .twin = {"QLinearMul", microsoft},
             .qdq = QdqRule::binary,
             .joins_product = true,
             .rank = RankRule::broadcast},
    OpTraits{.op = "Neg", .keeps_small = true, .rank = RankRule::first_input},
    OpTraits{.op = "PRelu"},
    OpTraits{.op = "Pad",
             .moves = true,
             .makes_values = fills,
             .keeps_levels = true,
             .keeps_small = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "Pow", .keeps_small = true, .rank = RankRule::broadcast},
    OpTraits{.op = "RMSNormalization", .steep = true},
    OpTraits{.op = "RNN", .weights = WeightKind::gates},
    OpTraits{.op = "ReduceMax", .picks = true, .qdq = QdqRule::mover},
    OpTraits{.op = "ReduceMean", .keeps_scores = true},
    OpTraits{.op = "ReduceMin", .picks = true, .qdq = QdqRule::mover},
    OpTraits{.op = "Relu",
             .clips = true,
             .keeps_small = true,
             .result = from_0,
             .active = relu_active,
             .pools_first = true,
             .channels = ChannelChange::scale,
             .joins_product = true,
             .fused_by_name = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "Reshape",
             .moves = true,
             .relabels = true,
             .keeps_levels = true,
             .keeps_small = true,
             .keeps_scores = true,
             .qdq = QdqRule::mover,
             .pairs_move = true},
    OpTraits{.op = "Resize", .moves = true, .makes_values = overshoots, .qdq = QdqRule::mover},
    OpTraits{.op = "Sigmoid",
             .keeps_scores = true,
             .steep = true,
             .result = from_0_to_1,
             .active = sigmoid_active,
             .rises_within = 4,
             .pools_first = true,
             .twin = {"QLinearSigmoid", microsoft},
             .qdq = QdqRule::unary,
             .fused_by_name = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "SimplifiedLayerNormalization", .steep = true},
    OpTraits{.op = "Slice",
             .moves = true,
             .keeps_levels = true,
             .keeps_small = true,
             .qdq = QdqRule::mover,
             .pairs_move = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "Softmax",
             .keeps_scores = true,
             .steep = true,
             .result = from_0_to_1,
             .twin = {"QLinearSoftmax", microsoft},
             .qdq = QdqRule::unary,
             .rank = RankRule::first_input},
    OpTraits{.op = "SpaceToDepth", .moves = true, .keeps_levels = true},
    OpTraits{.op = "Split",
             .moves = true,
             .keeps_small = true,
             .qdq = QdqRule::split,
             .rank = RankRule::first_input},
    OpTraits{.op = "Sqrt", .rank = RankRule::first_input},
    OpTraits{.op = "Squeeze",
             .moves = true,
             .relabels = true,
             .keeps_small = true,
             .keeps_scores = true,
             .qdq = QdqRule::mover,
             .pairs_move = true},
    OpTraits{.op = "Sub",
             .keeps_rows = true,
             .keeps_levels = true,
             .keeps_small = true,
             .joins_product = true,
             .rank = RankRule::broadcast},
    OpTraits{.op = "Sum", .sums = true},
    OpTraits{.op = "Tanh",
             .steep = true,
             .result = from_minus_1_to_1,
             .pools_first = true,
             .fused_by_name = true,
             .rank = RankRule::first_input},
    OpTraits{.op = "Tile", .moves = true, .qdq = QdqRule::mover},
    OpTraits{.op = "Transpose",
             .moves = true,
             .keeps_levels = true,
             .keeps_small = true,
             .keeps_scores = true,
             .qdq = QdqRule::mover,
             .pairs_move = true},
    OpTraits{.op = "Unsqueeze",
             .moves = true,
             .relabels = true,
             .keeps_small = true,
             .keeps_scores = true,
             .qdq = QdqRule::mover,
             .pairs_move = true},
    OpTraits{.op = "Where",
             .keeps_rows = true,
             .twin = {"QLinearWhere", microsoft},
             .qdq = QdqRule::where,
             .rank = RankRule::broadcast},
};

static_assert(std::ranges::is_sorted(rows, {}, &OpTraits::op));

}  // namespace

std::span<const OpTraits> all_op_traits() { return rows; }

const OpTraits* find_traits(std::string_view op) {
  const auto it = std::ranges::lower_bound(rows, op, {}, &OpTraits::op);
  return it != rows.end() && it->op == op ? &*it : nullptr;
}

const OpTraits& traits_of(const Node& node) {
  static constexpr OpTraits unknown;
  const OpTraits* traits = node.domain().empty() ? find_traits(node.op()) : nullptr;
  return traits != nullptr ? *traits : unknown;
}

const OpTraits* computes_as(const Node& node) {
  const auto it = std::ranges::find_if(rows, [&](const OpTraits& traits) {
    return traits.twin.op == node.op() && traits.twin.domain == node.domain();
  });
  return it != rows.end() ? &*it : nullptr;
}

std::optional<Interval> clip_bounds(const Node& clip) {
  const auto lo = clip_bound(clip, "min", 1, -infinity), hi = clip_bound(clip, "max", 2, infinity);
  return lo && hi ? std::optional(Interval{*lo, *hi}) : std::nullopt;
}

}  // namespace intaglio
