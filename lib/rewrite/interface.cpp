#include "lib/rewrite/interface.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/rewrite/constants.h"

namespace intaglio {
namespace {

// --- Reading what stands at the ends

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
  throw Error(
      Code::unsupported, fmt::format("`io`: {}: {}", what, why),
      "Let that node be quantized, or keep that end float: `io IN,OUT`, as in `io s8,float`.");
}

// Scale and zero point of a QuantizeLinear or DequantizeLinear of 8-bit codes.
QParams params_of(const Node& node, const std::string& what) {
  const Value *scale = node.input(1), *zero = node.input(2);
  if (scale == nullptr || !scale->is_constant() || scale->constant().size() != 1 ||
      (zero != nullptr && !zero->is_constant()))
    refuse(what, fmt::format("the scale of {} varies", node.label()));
  QParams params{DType::u8, std::nullopt, {scale->constant().item<float>()}, {0}};
  if (zero != nullptr) {
    params.type = zero->constant().dtype();
    params.zero_point = {zero->constant().item<std::int32_t>()};
  }
  if (params.type != DType::u8 && params.type != DType::s8)
    throw Error(Code::config,
                fmt::format("`io`: {}: its codes are of type {}, not of 8 bits", what,
                            name_of(params.type)),
                "Use `activations u8` or s8, or keep `io float`.");
  return params;
}

QParams as_type(QParams params, DType type) {
  if (params.type != type) params.zero_point.front() += type == DType::u8 ? 128 : -128;
  params.type = type;
  return params;
}

// --- Edits

Node& conversion(Graph& graph, const char* op, const QParams& params, Value& from, Value& to) {
  const std::string hint = to.name();
  return graph.add_node(op, hint + "_" + op,
                        {&from, &graph.add_constant(hint + "_scale", scale_tensor(params)),
                         &graph.add_constant(hint + "_zero_point", zero_point_tensor(params))},
                        {&to});
}

// The node goes, and its scale and zero point where nothing else reads them.
void erase_conversion(Graph& graph, Node& node) {
  const std::vector<Value*> parameters = {node.input(1), node.input(2)};
  graph.erase(node);
  for (Value* value : parameters)
    if (value != nullptr && value->uses().empty() && !value->is_output()) graph.erase(*value);
}

// Codes of one type become those of another: from -> DequantizeLinear -> QuantizeLinear -> to.
void convert_codes(Graph& graph, Value& from, const QParams& from_params, Value& to,
                   const QParams& to_params) {
  Value& real = graph.add_value(to.name() + "_real", DType::f32, to.dims());
  conversion(graph, "DequantizeLinear", from_params, from, real);
  conversion(graph, "QuantizeLinear", to_params, real, to);
}

InterfaceValue quantize_input(Graph& graph, Value& input, DType type) {
  const std::string what = fmt::format("input '{}'", input.name());
  if (input.is_output() || input.uses().size() != 1 ||
      !input.uses().front().node->is("QuantizeLinear") || input.uses().front().index != 0) {
    for (const Use& use : input.uses())
      if (!use.node->is("QuantizeLinear"))
        refuse(what, fmt::format("{} reads it in float", use.node->label()));
    refuse(what, "it leaves the graph, or is quantized in several ways");
  }
  Node& quantize = *input.uses().front().node;
  const QParams inside = params_of(quantize, what), outside = as_type(inside, type);
  Value& codes = *quantize.output(0);
  erase_conversion(graph, quantize);
  input.set_type(type, input.dims());
  if (inside.type == type) {
    graph.replace_uses(codes, input);
    graph.erase(codes);
  } else {
    convert_codes(graph, input, outside, codes, inside);
  }
  return {input.name(), outside};
}

InterfaceValue quantize_output(Graph& graph, Value& output, DType type) {
  const std::string what = fmt::format("output '{}'", output.name());
  Node* maker = output.producer();
  if (maker == nullptr || !maker->is("DequantizeLinear"))
    refuse(what, maker == nullptr ? "no node makes it"
                                  : fmt::format("{} makes it in float", maker->label()));
  const QParams inside = params_of(*maker, what), outside = as_type(inside, type);
  Value& codes = *maker->input(0);
  if (!output.uses().empty()) {  // somebody inside reads the float
    Value& real = graph.add_value(output.name() + "_real", DType::f32, output.dims());
    conversion(graph, "DequantizeLinear", inside, codes, real);
    graph.replace_uses(output, real);
  }
  erase_conversion(graph, *maker);
  output.set_type(type, output.dims());
  if (inside.type != type)
    convert_codes(graph, codes, inside, output, outside);
  else if (codes.is_output() || codes.producer() == nullptr)
    graph.add_node("Identity", output.name() + "_Identity", {&codes}, {&output});
  else
    graph.merge_into_output(codes, output);
  return {output.name(), outside};
}

// --- Metadata

Json values_json(const std::vector<InterfaceValue>& values) {
  Json list = Json::array();
  for (const InterfaceValue& v : values)
    list.push_back({{"name", v.name},
                    {"type", name_of(v.params.type)},
                    {"scale", v.params.scale.front()},
                    {"zero_point", v.params.zero_point.front()}});
  return list;
}

std::vector<InterfaceValue> read_values(const Json& list, const std::string& origin) {
  std::vector<InterfaceValue> values;
  for (const Json& item : list) {
    JsonObject json(item, origin);
    InterfaceValue value{json.get<std::string>("name"), {}};
    value.params = {dtype_named(json.get<std::string>("type")),
                    std::nullopt,
                    {json.get<float>("scale")},
                    {json.get<std::int32_t>("zero_point")}};
    json.done();
    values.push_back(std::move(value));
  }
  return values;
}

void restore_input(Graph& graph, const InterfaceValue& value) {
  Value* input = graph.find(value.name);
  if (input == nullptr || !input->is_feed() || input->dtype() != value.params.type)
    throw Error(Code::model,
                fmt::format("metadata {} speaks of input '{}', which the graph lacks",
                            interface_key, value.name),
                "Remove the metadata, or write the model again.");
  Value& codes = graph.add_value(value.name + "_quantized", value.params.type, input->dims());
  graph.replace_uses(*input, codes);
  input->set_type(DType::f32, input->dims());
  conversion(graph, "QuantizeLinear", value.params, *input, codes);
}

void restore_output(Graph& graph, const InterfaceValue& value) {
  Value* output = graph.find(value.name);
  if (output == nullptr || !output->is_output() || output->producer() == nullptr)
    throw Error(Code::model,
                fmt::format("metadata {} speaks of output '{}', which the graph lacks",
                            interface_key, value.name),
                "Remove the metadata, or write the model again.");
  Value& codes = graph.add_value(value.name + "_quantized", value.params.type, output->dims());
  Node& maker = *output->producer();
  const auto outputs = maker.outputs();
  const auto at = std::find(outputs.begin(), outputs.end(), output) - outputs.begin();
  graph.set_output(maker, static_cast<std::size_t>(at), codes);
  graph.replace_uses(*output, codes);
  output->set_type(DType::f32, output->dims());
  conversion(graph, "DequantizeLinear", value.params, codes, *output);
}

}  // namespace

Json to_json(const Interface& interface) {
  return {{"inputs", values_json(interface.inputs)}, {"outputs", values_json(interface.outputs)}};
}

Interface quantize_interface(Model& model, InterfaceTypes types) {
  Graph& graph = model.graph();
  Interface interface;
  for (Value* input : graph.feeds())
    if (types.inputs != DType::undefined && is_float(input->dtype()))
      interface.inputs.push_back(quantize_input(graph, *input, types.inputs));
  const std::vector<Value*> outputs = graph.outputs();
  for (Value* output : outputs)
    if (types.outputs != DType::undefined && is_float(output->dtype()))
      interface.outputs.push_back(quantize_output(graph, *output, types.outputs));
  model.set_metadata(interface_key, to_json(interface).dump());
  graph.verify();
  return interface;
}

std::optional<Interface> interface_of(const Model& model) {
  const auto metadata = model.metadata();
  const auto it = metadata.find(std::string(interface_key));
  if (it == metadata.end()) return std::nullopt;
  const std::string origin = fmt::format("metadata {}", interface_key);
  const Json document = parse_json_if_any(it->second);
  if (!document.is_object() || !document.contains("inputs") || !document.contains("outputs"))
    throw Error(Code::model, origin + ": is not a JSON object with inputs and outputs",
                "Remove the metadata, or write the model again.");
  return Interface{read_values(document["inputs"], origin),
                   read_values(document["outputs"], origin)};
}

void restore_float_interface(Model& model) {
  const auto interface = interface_of(model);
  if (!interface) return;
  for (const InterfaceValue& v : interface->inputs) restore_input(model.graph(), v);
  for (const InterfaceValue& v : interface->outputs) restore_output(model.graph(), v);
  model.graph().verify();
}

}  // namespace intaglio
