#include "lib/passes/qdq/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/graph/op_traits.h"
#include "lib/graph/readers.h"
#include "lib/tensor/code_of.h"

namespace intaglio {
namespace {

// An absent zero point means zeros; the integer operators want to see them.
Value& zeros_for(Graph& graph, const Value& scale, DType type) {
  Tensor zeros(DType::s32, scale.constant().shape());
  std::ranges::fill(zeros.mutate<std::int32_t>(), 0);
  return graph.add_constant(scale.name() + "_zero_point", convert(zeros, type));
}

// Parameters of QuantizeLinear or DequantizeLinear.
std::optional<CodesRef> parameters(const Node& node, Value* codes, DType type) {
  CodesRef ref{codes, node.input(1), node.input(2), type, node.attr_int("axis", 1)};
  if (ref.scale == nullptr || !ref.scale->is_constant() || node.attr_int("block_size", 0) != 0 ||
      ref.scale->constant().dtype() != DType::f32)
    return std::nullopt;
  if (ref.zero != nullptr && !ref.zero->is_constant()) return std::nullopt;
  if (ref.zero == nullptr && is_byte(type)) ref.zero = &zeros_for(node.graph(), *ref.scale, type);
  return ref;
}

DType quantized_type(const Node& quantize) {
  const Value* zero = quantize.input(2);
  if (zero != nullptr) return zero->is_constant() ? zero->constant().dtype() : DType::undefined;
  return static_cast<DType>(quantize.attr_int("output_dtype", static_cast<int>(DType::u8)));
}

struct Bounds {
  double lo = -std::numeric_limits<double>::infinity();
  double hi = std::numeric_limits<double>::infinity();
};

std::optional<Bounds> bounds_of(const Node& node) {
  if (node.is("Relu")) return Bounds{.lo = 0};
  Bounds bounds;
  if (node.has("min")) bounds.lo = static_cast<double>(node.attr_float("min"));
  if (node.has("max")) bounds.hi = static_cast<double>(node.attr_float("max"));
  for (const auto& [i, bound] : {std::pair{1, &bounds.lo}, {2, &bounds.hi}}) {
    const Value* value = node.input(static_cast<std::size_t>(i));
    if (value == nullptr) continue;
    if (!value->is_constant() || value->constant().size() != 1) return std::nullopt;
    *bound = value->constant().item<double>();
  }
  return bounds;
}

// Whether values outside of the bounds saturate to the same codes as the bounds.
bool redundant(const Node& clip, const CodesRef& codes) {
  const auto bounds = bounds_of(clip);
  if (!bounds) return false;
  const double scale = codes.scale->constant().item<double>();
  const double zero = codes.zero->constant().item<double>();
  const double lowest = codes.type == DType::u8 ? 0 : -128;
  return unclamped_code(bounds->lo, scale, zero) <= lowest &&
         unclamped_code(bounds->hi, scale, zero) >= lowest + 255;
}

// The code of a bound, as QuantizeLinear makes it; null for an infinite one.
Value* bound_code(Graph& graph, const CodesRef& codes, double bound, std::string_view hint) {
  if (std::isinf(bound)) return nullptr;
  const float lowest = codes.type == DType::u8 ? 0 : -128;
  const auto saturated = static_cast<std::int32_t>(
      code_of(static_cast<float>(bound), codes.scale->constant().item<float>(),
              codes.zero->constant().item<float>(), lowest, lowest + 255));
  return &graph.add_constant(hint, convert(Tensor::scalar(saturated), codes.type));
}

// What a Clip that makes the codes of the tail reads.
Value& unclipped(const Node& node, const Tail& tail) {
  Graph& graph = node.graph();
  const CodesRef& codes = tail.codes;
  const Bounds bounds = *bounds_of(*tail.clip);
  const std::string& name = codes.codes->name();
  Value& value = graph.add_value(name + "_unclipped", codes.type, codes.codes->dims());
  std::vector<Value*> inputs = {&value, bound_code(graph, codes, bounds.lo, name + "_min")};
  if (Value* hi = bound_code(graph, codes, bounds.hi, name + "_max")) inputs.push_back(hi);
  graph.add_node("Clip", name + "_Clip", inputs, {codes.codes});
  return value;
}

// What alone reads the value, as its data.
Node* data_reader(const Value* value) {
  Node* reader = only_reader(value);
  return reader != nullptr && reader->input(0) == value ? reader : nullptr;
}

}  // namespace

bool is_byte(DType type) { return type == DType::u8 || type == DType::s8; }

std::optional<CodesRef> dequantized(const Value* value) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  if (node == nullptr || !node->is("DequantizeLinear")) return std::nullopt;
  Value* codes = node->input(0);
  if (codes == nullptr) return std::nullopt;
  const DType type = codes->is_constant() ? codes->constant().dtype()
                     : node->input(2) != nullptr && node->input(2)->is_constant()
                         ? node->input(2)->constant().dtype()
                         : codes->dtype();
  return parameters(*node, codes, type);
}

std::variant<Tail, FloatReason> tail_of(const Node& node, const IntegerOptions& options) {
  Node* reader = data_reader(node.output(0));
  if (reader == nullptr && (node.output(0)->is_output() || node.output(0)->uses().empty()))
    return FloatReason(Why::result_float, "its result leaves the graph in float");
  if (reader == nullptr) {
    if (goes_on_in_float(node))
      return FloatReason(Why::result_float, "only operators that compute in float read its result");
    return FloatReason("its result has several readers");
  }
  Tail tail;
  if (traits_of(*reader).clips) {
    tail.clip = reader;
    reader = data_reader(reader->output(0));
  }
  if (reader == nullptr || !reader->is("QuantizeLinear") || reader->output(0) == nullptr)
    return FloatReason(Why::result_float,
                       fmt::format("{} reads its result in float",
                                   tail.clip != nullptr ? tail.clip->op() : reader->op()));
  const auto codes = parameters(*reader, reader->output(0), quantized_type(*reader));
  if (!codes || !codes->per_tensor()) return FloatReason("the scale of its result varies");
  if (!is_byte(codes->type))
    return FloatReason(fmt::format("its result has codes of type {}", name_of(codes->type)));
  tail.redundant = tail.clip == nullptr || redundant(*tail.clip, *codes);
  if (!tail.redundant && !(options.clip_codes && bounds_of(*tail.clip)))
    return FloatReason(
        Why::beyond_bounds,
        fmt::format("the codes of its result reach beyond the bounds of {}", tail.clip->op()));
  tail.quantize = reader;
  tail.codes = *codes;
  return tail;
}

bool is_implied(const Node& clip) {
  const Node* reader = traits_of(clip).clips ? data_reader(clip.output(0)) : nullptr;
  if (reader == nullptr || !reader->is("QuantizeLinear") || reader->output(0) == nullptr)
    return false;
  const auto codes = parameters(*reader, reader->output(0), quantized_type(*reader));
  return codes && codes->per_tensor() && is_byte(codes->type) && redundant(clip, *codes);
}

bool goes_on_in_float(const Node& node) {
  const Value* y = node.output(0);
  if (const Node* reader = data_reader(y); reader != nullptr)
    return !reader->is("QuantizeLinear") && !traits_of(*reader).clips;
  for (const Use& use : y->uses())
    if (use.node->is("QuantizeLinear")) return false;
  return true;
}

void append(std::vector<Value*>& inputs, const CodesRef& codes) {
  inputs.insert(inputs.end(), {codes.codes, codes.scale, codes.zero});
}

void exchange(Node& node, std::string_view op, std::string_view domain,
              const std::vector<Value*>& inputs, const Tail* tail) {
  Graph& graph = node.graph();
  for (std::size_t i = 0; i < inputs.size(); ++i) graph.set_input(node, i, inputs[i]);
  graph.trim_inputs(node, inputs.size());
  node.set_op(op, domain);
  if (tail == nullptr) return;
  graph.erase(*tail->quantize);
  Value* made = tail->codes.codes;
  if (!tail->redundant) made = &unclipped(node, *tail);
  if (tail->clip != nullptr) graph.erase(*tail->clip);
  graph.set_output(node, 0, *made);
}

void erase_attributes(Node& node) {
  for (const std::string& attr : node.attrs()) node.erase_attr(attr);
}

void become_matmul_nbits(Node& node, const BlockedProduct& w, Value* bias) {
  std::vector<Value*> inputs = {node.input(0), w.codes, w.scales};
  if (w.zeros != nullptr || bias != nullptr) inputs.push_back(w.zeros);
  if (bias != nullptr) inputs.insert(inputs.end(), {nullptr, bias});
  erase_attributes(node);
  exchange(node, "MatMulNBits", "com.microsoft", inputs, nullptr);
  node.set_attr("K", w.k);
  node.set_attr("N", w.n);
  node.set_attr("bits", w.bits);
  node.set_attr("block_size", w.block);
  if (w.accuracy_level > 0) node.set_attr("accuracy_level", w.accuracy_level);
}

}  // namespace intaglio
