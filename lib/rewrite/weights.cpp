#include "lib/rewrite/weights.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/op_traits.h"
#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/quant/array.h"
#include "lib/quant/wide_activations.h"
#include "lib/rewrite/blocked.h"
#include "lib/rewrite/constants.h"

namespace intaglio {
namespace {

[[noreturn]] void refuse_plan(const std::string& what) {
  throw Error(Code::config, fmt::format("the plan speaks of {}, which the model lacks", what),
              "Use a plan that was made for this model.");
}

bool is_centred(const QParams& params) {
  return std::ranges::all_of(params.zero_point, [](std::int32_t z) { return z == 0; });
}

// Rows of codes with a scale per column become floats. onnxruntime's DequantizeLinear takes six
// times as long as Cast and Mul when the last axis has the scales, and its MatMul takes the codes
// of such rows for data with one scale, and fails.
void scale_rows(Graph& graph, const std::string& name, const QParams& params, Value& found,
                Value& y) {
  Value* real = &graph.add_value(y.name() + "_cast", DType::f32, y.dims());
  graph.add_node("Cast", y.name() + "_Cast", {&found}, {real})
      .set_attr("to", static_cast<std::int64_t>(DType::f32));
  if (!is_centred(params)) {
    Value& zero = graph.add_constant(name + "_zero_point",
                                     convert(Tensor::vector(params.zero_point), DType::f32));
    Value& centred = graph.add_value(y.name() + "_centred", DType::f32, y.dims());
    graph.add_node("Sub", y.name() + "_Sub", {real, &zero}, {&centred});
    real = &centred;
  }
  graph.add_node("Mul", y.name() + "_Mul",
                 {real, &graph.add_constant(name + "_scale", scale_tensor(params))}, {&y});
}

// Looks up codes, or halves, and turns what was found into floats.
void replace_table(Node& gather, const std::string& name, const Tensor& codes,
                   const QParams& params) {
  Graph& graph = gather.graph();
  Value &old = *gather.input(0), &y = *gather.output(0);
  Value& found = graph.add_value(y.name() + "_codes", params.type, y.dims());
  graph.set_output(gather, 0, found);
  if (is_float(params.type)) {
    graph.set_input(gather, 0, &store_halves(graph, name, codes));
    graph.add_node("Cast", y.name() + "_Cast", {&found}, {&y})
        .set_attr("to", static_cast<std::int64_t>(DType::f32));
  } else if (params.axis) {
    graph.set_input(gather, 0, &graph.add_constant(name + "_quantized", codes));
    scale_rows(graph, name, params, found, y);
  } else {
    const StoredCodes stored = store_codes(graph, name, codes, params);
    graph.set_input(gather, 0, stored.codes);
    graph.add_node("DequantizeLinear", y.name() + "_DequantizeLinear",
                   {&found, stored.scale, stored.zero_point}, {&y});
  }
  if (old.uses().empty() && !old.is_output()) graph.erase(old);
}

// Blocks of DequantizeLinear came with opset 21, its types of 2 bits with 25.
void require_blocks(const Model& model, const Plan& plan) {
  for (const NodePlan& node : plan.nodes)
    for (const ConstantPlan& c : node.constants) {
      if (!node.quantized || c.scheme.group == 0) continue;
      const std::int64_t needed = bits_of(c.scheme.type) == 2 ? 25 : wide_opset;
      if (model.opset() < needed)
        throw Error(Code::config,
                    fmt::format("weights of type {} in groups need opset {} of DequantizeLinear, "
                                "the model has {}",
                                name_of(c.scheme.type), needed, model.opset()),
                    "Use `format` matmulnbits, or export the model with a newer opset.");
    }
}

// Products before tables: codes that both read lie as the products want them.
template <typename StoreGroups>
void write_nodes(Model& model, const Plan& plan, StoreGroups&& store_groups) {
  Graph& graph = model.graph();
  GroupStore store;
  for (const bool tables : {false, true})
    for (const NodePlan& node : plan.nodes) {
      if (!node.quantized ||
          (traits_of(planned_node(graph, node)).weights == WeightKind::table) != tables)
        continue;
      if (node.has_groups())
        store_groups(planned_node(graph, node), node.constants.front(), store);
      else
        store_weights(planned_node(graph, node), node);
    }
  graph.verify();
}

}  // namespace

Node& planned_node(const Graph& graph, const NodePlan& plan) {
  const Value* output = graph.find(plan.output);
  if (output == nullptr || output->producer() == nullptr)
    refuse_plan(fmt::format("a node making '{}'", plan.output));
  return *output->producer();
}

const Tensor& planned_constant(const Node& node, std::size_t input, const std::string& name) {
  const Value* value = node.input(input);
  if (value == nullptr || value->name() != name || !value->is_constant())
    refuse_plan(fmt::format("constant '{}' as input {} of {}", name, input, node.label()));
  return value->constant();
}

Tensor planned_codes(const Node& node, const ConstantPlan& constant) {
  const Tensor& tensor = planned_constant(node, constant.input, constant.name);
  if (!fits(constant.params, tensor.shape()))
    throw Error(
        Code::config,
        fmt::format("the plan's scales for constant '{}' do not fit its shape", constant.name),
        "Use a plan that was made for this model.");
  return quantize(tensor, constant.params, constant.scheme);
}

void store_weights(Node& node, const NodePlan& plan) {
  for (const ConstantPlan& constant : plan.constants) {
    const Tensor codes = planned_codes(node, constant);
    if (traits_of(node).weights == WeightKind::table)
      replace_table(node, constant.name, codes, constant.params);
    else
      replace_constant(node, constant.input, constant.name, codes, constant.params);
  }
}

void require_opset(const Model& model, const Plan& plan) {
  if (needs_wide_codes(plan) && model.opset() < wide_opset)
    throw Error(
        Code::config,
        fmt::format("16-bit QuantizeLinear needs opset 21, the model has {}", model.opset()),
        "Use u8 or s8, or export the model with opset 21.");
}

void write_weights(Model& model, const Plan& plan) {
  require_opset(model, plan);
  require_blocks(model, plan);
  write_nodes(model, plan, store_blocked);
}

void write_matmul_nbits(Model& model, const Plan& plan, std::int64_t accuracy_level) {
  write_nodes(model, plan, [&](Node& node, const ConstantPlan& constant, GroupStore& store) {
    store_matmul_nbits(node, constant, accuracy_level, store);
  });
  import_microsoft(model);
}

}  // namespace intaglio
