#include "lib/check/kernel_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace intaglio {
namespace {

constexpr std::size_t none = 99;

struct Operand {
  std::size_t codes = none, zero = none;  // inputs
};

// data x weight -> result. Operators of one operand have no weight; a float result has no zero
// point.
struct Form {
  std::string_view op, domain;
  Operand data, weight;
  std::size_t result_zero = none;
};

constexpr std::string_view microsoft = "com.microsoft";

constexpr std::array forms = {
    Form{"QLinearConv", "", {0, 2}, {3, 5}, 7},
    Form{"QLinearMatMul", "", {0, 2}, {3, 5}, 7},
    Form{"QGemm", microsoft, {0, 2}, {3, 5}, 8},
    Form{"MatMulIntegerToFloat", microsoft, {0, 4}, {1, 5}, none},
    Form{"QLinearAdd", microsoft, {0, 2}, {3, 5}, 7},
    Form{"QLinearMul", microsoft, {0, 2}, {3, 5}, 7},
    Form{"QLinearLeakyRelu", microsoft, {0, 2}, {}, 4},
    Form{"QLinearSigmoid", microsoft, {0, 2}, {}, 4},
    Form{"QLinearSoftmax", microsoft, {0, 2}, {}, 4},
    Form{"QLinearAveragePool", microsoft, {0, 2}, {}, 4},
    Form{"QLinearGlobalAveragePool", microsoft, {0, 2}, {}, 4},
};

DType type_of(const Value* value) {
  if (value == nullptr) return DType::undefined;
  return value->is_constant() ? value->constant().dtype() : value->dtype();
}

DType type_of(const Node& node, const Operand& operand) {
  const DType type = type_of(node.input(operand.codes));
  return type != DType::undefined ? type : type_of(node.input(operand.zero));
}

bool is_elementwise(const Form& form) { return form.op == "QLinearAdd" || form.op == "QLinearMul"; }

Violation says(const Node& node, DType data, std::string_view joint, DType other) {
  return {fmt::format("onnxruntime has no {} of {} {} {}", node.op(), name_of(data), joint,
                      name_of(other)),
          "quantize with uint8 activations (`activations u8`)"};
}

Violation zero_points_violation(const Node& node) {
  const Value* zero = node.input(3);
  if (zero == nullptr || !zero->is_constant() || zero->constant().size() == 1) return {};
  return {"onnxruntime's ConvInteger takes one zero point for all filters",
          "quantize with symmetric weights (`weights s8`)"};
}

}  // namespace

Violation kernel_violation(const Node& node) {
  if (node.is("ConvInteger")) return zero_points_violation(node);
  const auto* form = std::ranges::find_if(
      forms, [&](const Form& f) { return f.op == node.op() && f.domain == node.domain(); });
  if (form == forms.end()) return {};
  const DType data = type_of(node, form->data);
  const DType weight = form->weight.codes == none ? data : type_of(node, form->weight);
  const DType result = type_of(node.input(form->result_zero));
  const bool alike = data == DType::s8 || is_elementwise(*form);
  if (data == DType::undefined) return {};
  if (weight != DType::undefined && alike && weight != data)
    return says(node, data, "times", weight);
  if (result != DType::undefined && result != data) return says(node, data, "to", result);
  return {};
}

}  // namespace intaglio
