#include "lib/graph/bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace intaglio {
namespace {

using Broken = std::optional<std::string>;
using Types = std::span<const ValueType>;

// -1: not known.
std::int64_t rank_of(Types inputs, std::size_t i) {
  return i < inputs.size() && inputs[i].dims ? std::ssize(*inputs[i].dims) : -1;
}

// --- Attributes ---

enum class Limit {
  positive,      // one or more
  not_negative,  // zero or more
  flag,          // zero or one
  axis,          // of the input: -rank to rank - 1
  edge,          // of the input: -rank to rank
  new_axis,      // of a result with one axis more
  permutation,   // of the axes of the input
  element_type,  // a number of TensorProto.DataType
  word,          // one of those that are given
};

struct Bound {
  std::string_view op;  // empty: every operator that has no row of its own for the attribute
  std::string_view attr;
  Limit limit;
  std::string_view words = {};
  std::size_t input = 0;  // whose axes are meant
};

// clang-format off
constexpr Bound bounds[] = {
    {"", "group", Limit::positive},
    {"", "num_groups", Limit::positive},
    {"", "strides", Limit::positive},
    {"", "dilations", Limit::positive},
    {"", "kernel_shape", Limit::positive},
    {"", "output_padding", Limit::not_negative},
    {"", "blocksize", Limit::positive},
    {"", "block_size", Limit::positive},
    {"DequantizeLinear", "block_size", Limit::not_negative},  // 0: no blocks
    {"QuantizeLinear", "block_size", Limit::not_negative},
    {"", "hidden_size", Limit::positive},
    {"", "num_outputs", Limit::positive},
    {"", "num_heads", Limit::positive},
    {"RotaryEmbedding", "num_heads", Limit::not_negative},  // 0: the rank of the input tells
    {"", "q_num_heads", Limit::positive},
    {"", "kv_num_heads", Limit::positive},
    {"", "batch_dims", Limit::not_negative},
    {"", "K", Limit::positive},  // MatMulNBits
    {"", "N", Limit::positive},
    {"LRN", "size", Limit::positive},
    {"LpPool", "p", Limit::positive},
    {"GlobalLpPool", "p", Limit::positive},
    {"Scan", "num_scan_inputs", Limit::positive},
    {"", "ceil_mode", Limit::flag},
    {"", "storage_order", Limit::flag},
    {"", "count_include_pad", Limit::flag},
    {"", "layout", Limit::flag},
    {"", "keepdims", Limit::flag},
    {"", "noop_with_empty_axes", Limit::flag},
    {"", "select_last_index", Limit::flag},
    {"ReverseSequence", "batch_axis", Limit::flag},
    {"ReverseSequence", "time_axis", Limit::flag},
    {"", "auto_pad", Limit::word, "NOTSET SAME_UPPER SAME_LOWER VALID"},
    {"GRU", "direction", Limit::word, "forward reverse bidirectional"},
    {"LSTM", "direction", Limit::word, "forward reverse bidirectional"},
    {"RNN", "direction", Limit::word, "forward reverse bidirectional"},
    {"BitShift", "direction", Limit::word, "LEFT RIGHT"},
    {"DepthToSpace", "mode", Limit::word, "DCR CRD"},
    {"Pad", "mode", Limit::word, "constant reflect edge wrap"},
    {"Resize", "mode", Limit::word, "nearest linear cubic"},
    {"Resize", "keep_aspect_ratio_policy", Limit::word, "stretch not_larger not_smaller"},
    {"Resize", "nearest_mode", Limit::word, "round_prefer_floor round_prefer_ceil floor ceil"},
    {"Upsample", "mode", Limit::word, "nearest linear bilinear"},
    {"RoiAlign", "mode", Limit::word, "avg max"},
    {"GridSample", "padding_mode", Limit::word, "zeros border reflection"},
    {"Gelu", "approximate", Limit::word, "none tanh"},
    {"", "reduction", Limit::word, "none add mul max min sum mean"},
    {"Cast", "to", Limit::element_type},
    {"BitCast", "to", Limit::element_type},
    {"", "dtype", Limit::element_type},
    {"", "output_datatype", Limit::element_type},
    {"Transpose", "perm", Limit::permutation},
    {"ArgMax", "axis", Limit::axis},
    {"ArgMin", "axis", Limit::axis},
    {"Compress", "axis", Limit::axis},
    {"Concat", "axis", Limit::axis},
    {"Flatten", "axis", Limit::edge},
    {"Gather", "axis", Limit::axis},
    {"GatherElements", "axis", Limit::axis},
    {"Hardmax", "axis", Limit::axis},
    {"LayerNormalization", "axis", Limit::axis},
    {"LogSoftmax", "axis", Limit::axis},
    {"LpNormalization", "axis", Limit::axis},
    {"OneHot", "axis", Limit::new_axis},
    {"RMSNormalization", "axis", Limit::axis},
    {"ReduceL1", "axes", Limit::axis},
    {"ReduceL2", "axes", Limit::axis},
    {"ReduceLogSum", "axes", Limit::axis},
    {"ReduceLogSumExp", "axes", Limit::axis},
    {"ReduceMax", "axes", Limit::axis},
    {"ReduceMean", "axes", Limit::axis},
    {"ReduceMin", "axes", Limit::axis},
    {"ReduceProd", "axes", Limit::axis},
    {"ReduceSum", "axes", Limit::axis},
    {"ReduceSumSquare", "axes", Limit::axis},
    {"Scatter", "axis", Limit::axis},
    {"ScatterElements", "axis", Limit::axis},
    {"Slice", "axes", Limit::axis},
    {"Softmax", "axis", Limit::axis},
    {"Split", "axis", Limit::axis},
    {"SplitToSequence", "axis", Limit::axis},
    {"Squeeze", "axes", Limit::axis},
    {"TopK", "axis", Limit::axis},
    {"Unique", "axis", Limit::axis},
};
// clang-format on

const Bound* bound_of(const Node& node, std::string_view attr) {
  const auto find = [&](std::string_view op) {
    return std::ranges::find_if(bounds,
                                [&](const Bound& b) { return b.op == op && b.attr == attr; });
  };
  const auto own = find(node.op());
  const auto found = own != std::end(bounds) ? own : find("");
  return found != std::end(bounds) ? found : nullptr;
}

// TensorProto.DataType of ONNX 1.23; libonnx may be older.
constexpr std::int64_t first_element_type = 1, last_element_type = 28;

std::vector<std::int64_t> numbers_of(const Node& node, std::string_view attr) {
  switch (node.attr_kind(attr)) {
    case 'i':
      return {node.attr_int(attr)};
    case 'I':
      return node.attr_ints(attr);
    default:
      return {};
  }
}

Broken each(const Node& node, std::string_view attr, std::int64_t least, std::int64_t most,
            const std::string& rule) {
  const auto numbers = numbers_of(node, attr);
  const bool in = std::ranges::all_of(numbers, [&](auto v) { return least <= v && v <= most; });
  if (in) return std::nullopt;
  const std::string given =
      node.attr_kind(attr) == 'i' ? std::to_string(numbers.front()) : to_string(numbers);
  return fmt::format("attribute '{}' is {}: {}", attr, given, rule);
}

Broken outside_axes(const Node& node, const Bound& bound, std::int64_t rank) {
  if (rank < 0) return std::nullopt;
  const std::int64_t axes = bound.limit == Limit::new_axis ? rank + 1 : rank;
  const std::int64_t most = bound.limit == Limit::edge ? rank : axes - 1;
  // Some exporters write -1 and 0 for the only element of a scalar.
  if (rank == 0)
    return each(node, bound.attr, -1, std::max<std::int64_t>(most, 0), "a scalar has no axes");
  return each(node, bound.attr, -axes, most,
              fmt::format("input {} has {} axes, so it must lie between {} and {}", bound.input + 1,
                          rank, -axes, most));
}

Broken not_permutation(const Node& node, const Bound& bound, std::int64_t rank) {
  std::vector<std::int64_t> perm = node.attr_ints(bound.attr);
  const std::string given = to_string(perm);
  std::ranges::sort(perm);
  bool right = rank < 0 || std::ssize(perm) == rank;
  for (std::size_t i = 0; i < perm.size(); ++i) right &= perm[i] == static_cast<std::int64_t>(i);
  if (right) return std::nullopt;
  return fmt::format("attribute '{}' is {}: it must hold each axis of the input{} once", bound.attr,
                     given, rank < 0 ? "" : fmt::format(", 0 to {},", rank - 1));
}

Broken not_a_word(const Node& node, const Bound& bound) {
  if (node.attr_kind(bound.attr) != 's') return std::nullopt;
  const std::string given = node.attr_string(bound.attr);
  for (std::string_view rest = bound.words; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (word == given) return std::nullopt;
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return fmt::format("attribute '{}' is '{}': it must be one of {}", bound.attr, given,
                     bound.words);
}

Broken broken(const Node& node, const Bound& bound, Types inputs) {
  constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
  switch (bound.limit) {
    case Limit::positive:
      return each(node, bound.attr, 1, any, "it must be 1 or more");
    case Limit::not_negative:
      return each(node, bound.attr, 0, any, "it must be 0 or more");
    case Limit::flag:
      return each(node, bound.attr, 0, 1, "it must be 0 or 1");
    case Limit::element_type:
      return each(node, bound.attr, first_element_type, last_element_type,
                  "it must be the number of an element type");
    case Limit::permutation:
      return not_permutation(node, bound, rank_of(inputs, bound.input));
    case Limit::word:
      return not_a_word(node, bound);
    case Limit::axis:
    case Limit::edge:
    case Limit::new_axis:
      return outside_axes(node, bound, rank_of(inputs, bound.input));
  }
  return std::nullopt;
}

// --- Ranks ---

struct Ranks {
  std::string_view op;
  std::size_t input;
  std::int64_t least, most;
};
constexpr std::int64_t any = 64;

// clang-format off
constexpr Ranks ranks[] = {
    {"Attention", 0, 3, 4}, {"Attention", 1, 3, 4}, {"Attention", 2, 3, 4},
    {"AveragePool", 0, 3, any},
    {"BatchNormalization", 1, 1, 1}, {"BatchNormalization", 2, 1, 1},
    {"BatchNormalization", 3, 1, 1}, {"BatchNormalization", 4, 1, 1},
    {"CausalConvWithState", 0, 3, 3}, {"CausalConvWithState", 1, 3, 3}, {"CausalConvWithState", 2, 1, 1},
    {"CausalConvWithState", 3, 3, 3},
    {"Compress", 1, 1, 1},
    {"ConstantOfShape", 0, 1, 1},
    {"Conv", 0, 3, any}, {"Conv", 1, 3, any}, {"Conv", 2, 1, 1},
    {"ConvInteger", 0, 3, any}, {"ConvInteger", 1, 3, any},
    {"ConvTranspose", 0, 3, any}, {"ConvTranspose", 1, 3, any}, {"ConvTranspose", 2, 1, 1},
    {"DeformConv", 0, 3, any}, {"DeformConv", 1, 3, any}, {"DeformConv", 3, 1, 1},
    {"DepthToSpace", 0, 4, 4},
    {"Expand", 1, 1, 1},
    {"GRU", 0, 3, 3}, {"GRU", 1, 3, 3}, {"GRU", 2, 3, 3}, {"GRU", 3, 2, 2}, {"GRU", 4, 1, 1}, {"GRU", 5, 3, 3},
    {"Gemm", 0, 2, 2}, {"Gemm", 1, 2, 2}, {"Gemm", 2, 0, 2},
    {"InstanceNormalization", 0, 3, any}, {"InstanceNormalization", 1, 1, 1}, {"InstanceNormalization", 2, 1, 1},
    {"LSTM", 0, 3, 3}, {"LSTM", 1, 3, 3}, {"LSTM", 2, 3, 3}, {"LSTM", 3, 2, 2}, {"LSTM", 4, 1, 1}, {"LSTM", 5, 3, 3},
    {"LSTM", 6, 3, 3}, {"LSTM", 7, 2, 2},
    {"LinearAttention", 0, 3, 3}, {"LinearAttention", 1, 3, 3}, {"LinearAttention", 2, 3, 3},
    {"LinearAttention", 3, 4, 4}, {"LinearAttention", 4, 3, 3}, {"LinearAttention", 5, 3, 3},
    {"LpPool", 0, 3, any},
    {"MatMul", 0, 1, any}, {"MatMul", 1, 1, any},
    {"MatMulInteger", 0, 1, any}, {"MatMulInteger", 1, 1, any},
    {"MaxPool", 0, 3, any},
    {"NegativeLogLikelihoodLoss", 0, 2, any}, {"NegativeLogLikelihoodLoss", 1, 1, any},
    {"NegativeLogLikelihoodLoss", 2, 1, 1},
    {"NonMaxSuppression", 0, 3, 3}, {"NonMaxSuppression", 1, 3, 3},
    {"OneHot", 2, 1, 1},
    {"Pad", 1, 1, 1},
    {"QLinearConv", 0, 3, any}, {"QLinearConv", 1, 0, 1}, {"QLinearConv", 2, 0, 1}, {"QLinearConv", 3, 3, any},
    {"QLinearConv", 4, 0, 1}, {"QLinearConv", 5, 0, 1}, {"QLinearConv", 6, 0, 1}, {"QLinearConv", 7, 0, 1},
    {"QLinearConv", 8, 1, 1},
    {"QLinearMatMul", 0, 1, any}, {"QLinearMatMul", 3, 1, any},
    {"RNN", 0, 3, 3}, {"RNN", 1, 3, 3}, {"RNN", 2, 3, 3}, {"RNN", 3, 2, 2}, {"RNN", 4, 1, 1}, {"RNN", 5, 3, 3},
    {"Range", 0, 0, 1}, {"Range", 1, 0, 1}, {"Range", 2, 0, 1},
    {"Reshape", 1, 0, 1},
    {"Resize", 1, 1, 1}, {"Resize", 2, 1, 1}, {"Resize", 3, 1, 1},
    {"ReverseSequence", 0, 2, any}, {"ReverseSequence", 1, 1, 1},
    {"RoiAlign", 0, 4, 4}, {"RoiAlign", 1, 2, 2}, {"RoiAlign", 2, 1, 1},
    {"RotaryEmbedding", 0, 3, 4},
    {"SpaceToDepth", 0, 4, 4},
    {"Split", 1, 0, 1},
    {"Squeeze", 1, 0, 1},
    {"Tile", 1, 1, 1},
    {"TensorScatter", 2, 1, 1},
    {"TopK", 1, 0, 1},
    {"Unsqueeze", 1, 0, 1},
    {"Upsample", 1, 1, 1},
};
// clang-format on

Broken broken(const Node& node, const Ranks& rule, Types inputs) {
  const std::int64_t rank = rank_of(inputs, rule.input);
  if (!node.is(rule.op) || rank < 0 || (rule.least <= rank && rank <= rule.most))
    return std::nullopt;
  const Value* value = node.input(rule.input);
  std::string rule_text = std::to_string(rule.least);
  if (rule.most == any) rule_text += " or more";
  if (rule.most != any && rule.most != rule.least) rule_text += fmt::format(" to {}", rule.most);
  return fmt::format("input {} ('{}') of shape {} must have {} {}", rule.input + 1, value->name(),
                     to_string(*inputs[rule.input].dims), rule_text,
                     rule_text == "1" ? "axis" : "axes");
}

// --- Contents ---

// One filter and one group divide what comes in: checked where their lengths are known.
Broken broken_filters(const Node& node, Types inputs) {
  const bool linear = node.op() == "QLinearConv";
  const bool filters = node.op().starts_with("Conv") || node.op() == "DeformConv" || linear;
  const std::size_t at = linear ? 3 : 1;
  if (!filters || rank_of(inputs, at) < 3) return std::nullopt;
  const Dims& dims = *inputs[at].dims;
  const std::string what =
      fmt::format("filters '{}' of shape {}", node.input(at)->name(), to_string(dims));
  if (std::ranges::any_of(dims, [](const Dim& d) { return d.value == 0; }))
    return what + " hold nothing: every length must be 1 or more";
  const std::int64_t group = node.attr_int("group", 1);
  if (dims[0].known() && dims[0].value % group != 0)
    return fmt::format("{} do not split into the {} groups of attribute 'group'", what, group);
  if (rank_of(inputs, 0) >= 0 && rank_of(inputs, 0) != rank_of(inputs, at))
    return fmt::format("{} do not fit an input of shape {}: both must have as many axes", what,
                       to_string(*inputs[0].dims));
  const auto kernel = node.attr_ints("kernel_shape");
  bool equal = kernel.empty() || kernel.size() == dims.size() - 2;
  for (std::size_t i = 0; equal && i < kernel.size(); ++i)
    equal = !dims[i + 2].known() || dims[i + 2].value == kernel[i];
  if (!equal)
    return fmt::format("{} are not those of attribute 'kernel_shape', {}", what, to_string(kernel));
  return std::nullopt;
}

// An input that is there: some exporters and older opsets mark what is absent with a tensor without
// elements.
bool is_given(const Node& node, Types inputs, std::size_t i) {
  const bool empty = rank_of(inputs, i) == 1 && inputs[i].dims->front().value == 0;
  return node.input(i) != nullptr && !empty;
}

// One of two inputs says how long the results are, by factors or as such.
Broken broken_resize(const Node& node, Types inputs) {
  if (!node.is("Resize") || node.opset() < 11) return std::nullopt;
  const bool scales = is_given(node, inputs, 2), sizes = is_given(node, inputs, 3);
  if (!scales && !sizes) return "has neither scales nor sizes: one of inputs 3 and 4 must be given";
  const auto known = [&](std::size_t i) {
    return rank_of(inputs, i) == 1 && inputs[i].dims->front().known();
  };
  if (scales && sizes && known(2) && known(3))
    return "has scales and sizes: one of inputs 3 and 4 must be left out";
  return std::nullopt;
}

// Scores have an axis of classes more than what they are compared with.
Broken broken_loss(const Node& node, Types inputs) {
  const std::int64_t scores = rank_of(inputs, 0), labels = rank_of(inputs, 1);
  const bool loss = node.is("NegativeLogLikelihoodLoss") || node.is("SoftmaxCrossEntropyLoss");
  if (!loss || scores < 0 || labels < 0 || labels == scores - 1) return std::nullopt;
  return fmt::format(
      "labels '{}' of shape {} do not fit scores of shape {}: they have one axis less",
      node.input(1)->name(), to_string(*inputs[1].dims), to_string(*inputs[0].dims));
}

// The lengths of the parts, or their number.
Broken broken_split(const Node& node) {
  if (!node.is("Split") || node.opset() < 18) return std::nullopt;
  if (node.has("num_outputs") && node.input(1) != nullptr)
    return "has both input 2 ('split') and attribute 'num_outputs': one of them must be left out";
  return std::nullopt;
}

// The length of all parts, or that of each.
Broken broken_parts(const Node& node, Types inputs) {
  if (!node.is("SplitToSequence") || inputs.size() < 2) return std::nullopt;
  const Tensor& parts = inputs[1].constant;
  if (!parts.defined()) return std::nullopt;
  const std::int64_t least = parts.rank() == 0 ? 1 : 0;
  for (const std::int64_t length : convert(parts, DType::s64).to_vector<std::int64_t>())
    if (length < least)
      return fmt::format("parts '{}' hold {}: a length must be {} or more", node.input(1)->name(),
                         length, least);
  return std::nullopt;
}

// A Constant has its value in one of many attributes.
Broken broken_constant(const Node& node) {
  if (!node.is("Constant") || node.attrs().size() == 1) return std::nullopt;
  return fmt::format("has {} attributes: one of them is to hold its value", node.attrs().size());
}

// Where an operator takes scales. What is quantized is divided by its scale.
struct Scale {
  std::string_view op;
  std::size_t input;
  bool divides = false;
};

constexpr Scale scales[] = {
    {"QuantizeLinear", 1, true}, {"DequantizeLinear", 1},    {"QLinearConv", 1},
    {"QLinearConv", 4},          {"QLinearConv", 6, true},   {"QLinearMatMul", 1},
    {"QLinearMatMul", 4},        {"QLinearMatMul", 6, true},
};

Broken broken(const Node& node, const Scale& rule, Types inputs) {
  if (!node.is(rule.op) || rule.input >= inputs.size()) return std::nullopt;
  const Tensor& constant = inputs[rule.input].constant;
  if (!constant.defined() || !is_float(constant.dtype())) return std::nullopt;
  const Tensor values = convert(constant, DType::f32);
  for (const float v : values.data<float>())
    if (!std::isfinite(v) || v < 0 || (v == 0 && rule.divides))
      return fmt::format("scale '{}' holds {}: it must be finite and more than 0",
                         node.input(rule.input)->name(), v);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> broken_bound(const Node& node, std::span<const ValueType> inputs) {
  for (const std::string& attr : node.attrs())
    if (const Bound* bound = bound_of(node, attr))
      if (auto why = broken(node, *bound, inputs)) return why;
  for (const Ranks& rule : ranks)
    if (auto why = broken(node, rule, inputs)) return why;
  for (const Scale& rule : scales)
    if (auto why = broken(node, rule, inputs)) return why;
  for (const auto rule : {broken_filters, broken_resize, broken_loss, broken_parts})
    if (auto why = rule(node, inputs)) return why;
  if (auto why = broken_split(node)) return why;
  return broken_constant(node);
}

bool is_element_type(std::int64_t number) {
  return first_element_type <= number && number <= last_element_type;
}

}  // namespace intaglio
