#include "lib/rewrite/dynamic.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "lib/graph/op_traits.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/array.h"
#include "lib/rewrite/constants.h"
#include "lib/rewrite/dynamic_lstm.h"
#include "lib/rewrite/weights.h"

namespace intaglio {
namespace {

Tensor transposed(const Tensor& codes) {
  const std::int64_t rows = codes.dim(0), columns = codes.dim(1);
  Tensor result(codes.dtype(), {columns, rows});
  std::byte* out = result.raw_mutate();
  for (std::int64_t i = 0; i < columns; ++i)
    for (std::int64_t j = 0; j < rows; ++j) out[i * rows + j] = codes.raw()[j * columns + i];
  return result;
}

// One value per filter, shaped to broadcast over the pixels of the result.
Tensor per_filter(const Tensor& values, int spatial) {
  Shape shape(static_cast<std::size_t>(spatial) + 1, 1);
  shape.front() = values.size();
  return values.reshaped(shape);
}

bool has_channels_of_image(const Value& feed) {
  if (!feed.is_feed() || feed.rank() != 4) return false;
  const std::int64_t first = (*feed.dims())[1].value, last = (*feed.dims())[3].value;
  return first == 1 || first == 3 || first == 4 || last == 3;
}

// Whether the value is an image that the caller feeds, moved about or mapped by constants.
bool shows_image(const Value& value) {
  std::vector<const Value*> open = {&value};
  std::set<const Value*> seen;
  while (!open.empty()) {
    const Value* v = open.back();
    open.pop_back();
    if (v == nullptr || v->is_constant() || !seen.insert(v).second) continue;
    const Node* node = v->producer();
    if (node == nullptr ? !has_channels_of_image(*v) : !traits_of(*node).keeps_levels) return false;
    if (node != nullptr) open.insert(open.end(), node->inputs().begin(), node->inputs().end());
  }
  return true;
}

class DynamicWriter {
 public:
  DynamicWriter(Graph& graph, bool microsoft) : graph_(graph), microsoft_(microsoft) {}

  void rewrite(Node& node, const NodePlan& plan) {
    if (!float_arithmetic(node, plan, microsoft_).empty()) return store_weights(node, plan);
    if (node.is("LSTM")) return write_dynamic_lstm(node, plan);
    const ConstantPlan& weight = plan.constants.front();
    Tensor codes = planned_codes(node, weight);
    if (node.is("Gemm") && node.attr_int("transB", 0) != 0) codes = transposed(codes);
    exchange(node, weight, codes);
  }

 private:
  // The data, quantized while the model runs; shared by all that read it.
  struct Data {
    Value *codes, *scale, *zero_point;
  };

  const Data& data_of(Value& x) {
    const auto [it, fresh] = data_.try_emplace(&x);
    if (!fresh) return it->second;
    it->second = {&graph_.add_value(x.name() + "_quantized", DType::u8, x.dims()),
                  &graph_.add_value(x.name() + "_scale", DType::f32, Dims{}),
                  &graph_.add_value(x.name() + "_zero_point", DType::u8, Dims{})};
    graph_.add_node("DynamicQuantizeLinear", x.name() + "_DynamicQuantizeLinear", {&x},
                    {it->second.codes, it->second.scale, it->second.zero_point});
    return it->second;
  }

  // null: all zeros.
  Value* weight_zero(const ConstantPlan& weight) {
    const auto& zeros = weight.params.zero_point;
    if (std::ranges::all_of(zeros, [](std::int32_t z) { return z == 0; })) return nullptr;
    const bool alike =
        std::ranges::adjacent_find(zeros, std::ranges::not_equal_to()) == zeros.end();
    const Tensor wide = alike ? Tensor::scalar(zeros.front()) : Tensor::vector(zeros);
    return &graph_.add_constant(weight.name + "_zero_point", convert(wide, weight.params.type));
  }

  Tensor weight_scale(const Node& node, const ConstantPlan& weight) const {
    Tensor scale = scale_tensor(weight.params);
    const float alpha = node.is("Gemm") ? node.attr_float("alpha", 1) : 1.0f;
    for (float& v : scale.mutate<float>()) v *= alpha;
    const bool by_filter = node.is("Conv") && weight.params.axis;
    return by_filter ? per_filter(scale, node.input(1)->rank() - 2) : scale;
  }

  // Null when there is none.
  Value* bias_of(const Node& node) {
    const Value* given = node.input(2);
    if (given == nullptr) return nullptr;
    Tensor bias = given->constant();
    if (node.is("Conv")) bias = per_filter(bias, node.input(1)->rank() - 2);
    const float beta = node.is("Gemm") ? node.attr_float("beta", 1) : 1.0f;
    for (float& v : bias.mutate<float>()) v *= beta;
    return &graph_.add_constant(given->name() + "_added", bias);
  }

  void exchange(Node& node, const ConstantPlan& weight, const Tensor& codes) {
    Value &y = *node.output(0), *old_weight = node.input(1), *old_bias = node.input(2);
    const std::string hint = y.name();
    const Data& x = data_of(*node.input(0));
    Value& scale = graph_.add_constant(weight.name + "_scale", weight_scale(node, weight));
    Value* bias = bias_of(node);
    if (node.is("Gemm"))
      for (const std::string& attr : node.attrs()) node.erase_attr(attr);
    node.set_op(node.is("Conv") ? "ConvInteger" : "MatMulInteger");

    std::vector<Value*> inputs = {x.codes, &graph_.add_constant(weight.name + "_quantized", codes),
                                  x.zero_point};
    if (Value* zero = weight_zero(weight)) inputs.push_back(zero);
    for (std::size_t i = 0; i < inputs.size(); ++i) graph_.set_input(node, i, inputs[i]);
    graph_.trim_inputs(node, inputs.size());
    for (Value* old : {old_weight, old_bias})
      if (old != nullptr && old->uses().empty() && !old->is_output()) graph_.erase(*old);

    Value& sums = graph_.add_value(hint + "_sums", DType::s32, y.dims());
    graph_.set_output(node, 0, sums);
    Value& real = graph_.add_value(hint + "_real", DType::f32, y.dims());
    graph_.add_node("Cast", hint + "_Cast", {&sums}, {&real})
        .set_attr("to", static_cast<std::int64_t>(DType::f32));
    Value& scales = graph_.add_value(hint + "_scales", DType::f32);
    graph_.add_node("Mul", hint + "_scales_Mul", {x.scale, &scale}, {&scales});
    Value& product =
        bias == nullptr ? y : graph_.add_value(hint + "_product", DType::f32, y.dims());
    graph_.add_node("Mul", hint + "_Mul", {&real, &scales}, {&product});
    if (bias != nullptr) graph_.add_node("Add", hint + "_Add", {&product, bias}, {&y});
  }

  Graph& graph_;
  bool microsoft_;
  std::unordered_map<const Value*, Data> data_;
};

}  // namespace

Target dynamic_target(Target target) {
  if (target.weights.type != DType::u8 && target.weights.type != DType::s8)
    throw Error(Code::config,
                fmt::format("`format dynamic`: weights of type {}: MatMulInteger takes 8 bits",
                            name_of(target.weights.type)),
                "Use `weights s8` or u8.");
  target.weights.symmetric = true;
  return target;
}

std::string float_arithmetic(const Node& node, const NodePlan& plan, bool microsoft) {
  const Value *x = node.input(0), *bias = node.input(2);
  if (x == nullptr || x->dtype() != DType::f32) return "weights alone: its data is not float32";
  if (node.is("LSTM")) {
    if (!microsoft)
      return "weights alone: its integer form is not standard: allow it with `contrib`";
    if (node.attr_int("layout", 0) != 0) return "weights alone: its batches come first (layout 1)";
    return plan.constants.size() == 2 ? "" : "weights alone: one of them is computed";
  }
  if (plan.constants.size() != 1 || plan.constants.front().input != 1)
    return "weights alone: they are not its second input";
  if (!node.is("MatMul") && !node.is("Conv") && !node.is("Gemm"))
    return fmt::format("weights alone: {} has no integer form for data of the run", node.op());
  if (node.is("MatMul")) return {};
  // Their levels and the codes of a range that depends on them are two grids of nearly the same
  // pitch: many pixels would be rounded by half a step.
  if (node.is("Conv") && shows_image(*x))
    return "weights alone: its data is an image, of 256 levels already";
  if (bias != nullptr && !bias->is_constant()) return "weights alone: its bias is computed";
  if (node.is("Gemm") && node.attr_int("transA", 0) != 0)
    return "weights alone: its data is transposed";
  return {};
}

void write_dynamic(Model& model, const Plan& plan, bool microsoft) {
  Graph& graph = model.graph();
  DynamicWriter writer(graph, microsoft);
  for (const NodePlan& node : plan.nodes)
    if (node.quantized) writer.rewrite(planned_node(graph, node), node);
  import_microsoft(model);
  graph.verify();
}

}  // namespace intaglio
