#include "lib/rewrite/blocked.h"

#include <fmt/format.h>

#include "lib/passes/qdq/cluster.h"
#include "lib/quant/group_codes.h"
#include "lib/rewrite/constants.h"

namespace intaglio {
namespace {

const GroupCodes& codes_of(const ConstantPlan& constant) {
  if (constant.groups) return *constant.groups;
  throw Error(
      Code::config,
      fmt::format("the plan has no codes for '{}', whose weights come in groups", constant.name),
      "Plans name the types of weights in groups, not their codes: give the options, and "
      "data, instead.");
}

// New constants, or those that another node stored.
StoredGroups& stored(Graph& graph, const ConstantPlan& constant, GroupStore& store) {
  const GroupCodes& codes = codes_of(constant);
  const auto [it, is_new] = store.try_emplace(&codes);
  if (!is_new) return it->second;
  const std::string name = name_stem(constant.name);
  it->second.codes = &graph.add_constant(name + "_quantized", codes.codes);
  it->second.scales = &graph.add_constant(name + "_scale", codes.scales);
  if (codes.zero_points.defined())
    it->second.zero_points = &graph.add_constant(name + "_zero_point", codes.zero_points);
  return it->second;
}

void erase_unread(Graph& graph, Value* value) {
  if (value == nullptr || !value->uses().empty() || value->is_output()) return;
  if (value->is_constant()) {
    if (!value->is_input()) graph.erase(*value);
    return;
  }
  Node* producer = value->producer();
  if (producer == nullptr || !producer->is("Transpose")) return;
  Value* source = producer->input(0);
  graph.erase(*producer);
  graph.erase(*value);
  erase_unread(graph, source);
}

// The bytes of rows (V, groups, bytes) as (V, groups * bytes), which is what a table looks like.
Value& as_rows(Graph& graph, Value& codes) {
  const Tensor& tensor = codes.constant();
  if (codes.uses().empty()) {
    codes.set_constant(tensor.reshaped({tensor.dim(0), tensor.dim(1) * tensor.dim(2)}));
    return codes;
  }
  Value& shape = graph.add_constant(
      codes.name() + "_shape",
      Tensor::vector(std::vector<std::int64_t>{tensor.dim(0), tensor.dim(1) * tensor.dim(2)}));
  Value& rows = graph.add_value(codes.name() + "_rows", DType::u8,
                                Dims{{tensor.dim(0), {}}, {tensor.dim(1) * tensor.dim(2), {}}});
  graph.add_node("Reshape", codes.name() + "_Reshape", {&codes, &shape}, {&rows});
  return rows;
}

void store_table(Node& gather, const ConstantPlan& constant, GroupStore& store) {
  Graph& graph = gather.graph();
  Value *table = gather.input(0), *ids = gather.input(1);
  StoredGroups& groups = stored(graph, constant, store);
  std::vector<Value*> inputs = {&as_rows(graph, *groups.codes), ids, groups.scales};
  if (groups.zero_points != nullptr) inputs.push_back(groups.zero_points);
  erase_attributes(gather);
  exchange(gather, "GatherBlockQuantized", "com.microsoft", inputs, nullptr);
  gather.set_attr("bits", static_cast<std::int64_t>(bits_of(constant.scheme.type)));
  gather.set_attr("block_size", constant.scheme.group);
  gather.set_attr("gather_axis", std::int64_t{0});
  gather.set_attr("quantize_axis", std::int64_t{1});
  erase_unread(graph, table);
}

bool is_bias(const Value& value, std::int64_t outputs) {
  return value.dims() && value.dims()->size() == 1 && value.dims()->front().value == outputs;
}

// The result of a product whose Gemm added something else than a bias of one number an output.
void add_behind(Node& product, Value& addend) {
  Graph& graph = product.graph();
  Value& result = *product.output(0);
  Value& plain = graph.add_value(result.name() + "_product", result.dtype(), result.dims());
  graph.set_output(product, 0, plain);
  graph.add_node("Add", result.name() + "_Add", {&plain, &addend}, {&result});
}

}  // namespace

void store_blocked(Node& node, const ConstantPlan& constant, GroupStore& store) {
  Graph& graph = node.graph();
  Value* old = node.input(constant.input);
  const StoredGroups& groups = stored(graph, constant, store);
  const std::string name = name_stem(constant.name);
  std::vector<Value*> inputs = {groups.codes, groups.scales};
  if (groups.zero_points != nullptr) inputs.push_back(groups.zero_points);
  Value& real =
      graph.add_value(name + "_dequantized", groups.scales->dtype(), groups.codes->dims());
  Node& dequantize =
      graph.add_node("DequantizeLinear", name + "_DequantizeLinear", inputs, {&real});
  dequantize.set_attr("axis", std::int64_t{0});
  dequantize.set_attr("block_size", constant.scheme.group);
  graph.set_input(node, constant.input, &real);
  if (node.is("Gemm")) node.erase_attr("transB");
  erase_unread(graph, old);
}

void store_matmul_nbits(Node& node, const ConstantPlan& constant, std::int64_t accuracy_level,
                        GroupStore& store) {
  if (node.is("Gather")) return store_table(node, constant, store);
  Graph& graph = node.graph();
  Value *old = node.input(1), *addend = node.input(2);
  const Tensor& weights = graph.resolve(constant.name)->constant();
  const auto axis = static_cast<std::size_t>(*constant.scheme.axis);
  const std::int64_t inputs = weights.dim(axis), outputs = weights.dim(1 - axis);
  const StoredGroups& groups = stored(graph, constant, store);
  Value* bias = addend != nullptr && is_bias(*addend, outputs) ? addend : nullptr;
  become_matmul_nbits(node,
                      {groups.codes, groups.scales, groups.zero_points, inputs, outputs,
                       static_cast<std::int64_t>(bits_of(constant.scheme.type)),
                       constant.scheme.group, accuracy_level},
                      bias);
  if (addend != nullptr && bias == nullptr) add_behind(node, *addend);
  erase_unread(graph, old);
}

}  // namespace intaglio
