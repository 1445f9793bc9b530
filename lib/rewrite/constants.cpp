#include "lib/rewrite/constants.h"

#include <fmt/format.h>

namespace intaglio {

Tensor scale_tensor(const QParams& params) {
  return params.axis ? Tensor::vector(params.scale) : Tensor::scalar<float>(params.scale.front());
}

Tensor zero_point_tensor(const QParams& params) {
  const Tensor wide = params.axis ? Tensor::vector(params.zero_point)
                                  : Tensor::scalar<std::int32_t>(params.zero_point.front());
  return convert(wide, params.type);
}

std::string name_stem(const std::string& name) {
  constexpr std::size_t longest = 48, shortest = 8;
  if (name.size() <= longest) return name;
  const std::size_t from = name.find_first_of("/;.", name.size() - longest - 1);
  return from == std::string::npos || from + shortest >= name.size() ? name : name.substr(from + 1);
}

StoredCodes store_codes(Graph& graph, const std::string& source, const Tensor& codes,
                        const QParams& params) {
  const std::string name = name_stem(source);
  return {&graph.add_constant(name + "_quantized", codes),
          &graph.add_constant(name + "_scale", scale_tensor(params)),
          &graph.add_constant(name + "_zero_point", zero_point_tensor(params))};
}

Value& dequantize_linear(Graph& graph, const std::string& source, const StoredCodes& stored,
                         const QParams& params, std::optional<Dims> dims) {
  const std::string name = name_stem(source);
  Value& real = graph.add_value(name + "_dequantized", DType::f32, std::move(dims));
  Node& node = graph.add_node("DequantizeLinear", name + "_DequantizeLinear",
                              {stored.codes, stored.scale, stored.zero_point}, {&real});
  if (params.axis && *params.axis != 1) node.set_attr("axis", std::int64_t{*params.axis});
  return real;
}

Value& store_halves(Graph& graph, const std::string& name, const Tensor& halves) {
  return graph.add_constant(fmt::format("{}_{}", name, name_of(halves.dtype())), halves);
}

Value& cast_to_float(Graph& graph, const std::string& name, Value& half) {
  Value& real = graph.add_value(name + "_float", DType::f32, half.dims());
  graph.add_node("Cast", name + "_Cast", {&half}, {&real})
      .set_attr("to", static_cast<std::int64_t>(DType::f32));
  return real;
}

void replace_constant(Node& node, std::size_t input, const std::string& name, const Tensor& codes,
                      const QParams& params) {
  Graph& graph = node.graph();
  Value& old = *node.input(input);
  if (is_float(params.type)) {
    graph.set_input(node, input, &cast_to_float(graph, name, store_halves(graph, name, codes)));
  } else {
    const StoredCodes stored = store_codes(graph, name, codes, params);
    graph.set_input(node, input,
                    &dequantize_linear(graph, name, stored, params, stored.codes->dims()));
  }
  if (old.uses().empty() && !old.is_output()) graph.erase(old);
}

}  // namespace intaglio
