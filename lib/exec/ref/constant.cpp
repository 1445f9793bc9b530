// Constant and ConstantOfShape.
#include <algorithm>

#include "lib/exec/arguments.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

Refusal refuse_constant(const Node& node) {
  for (const std::string_view attr : {"sparse_value", "value_string", "value_strings"})
    if (node.has(attr)) return "its " + std::string(attr) + " is not a dense tensor of numbers";
  return std::nullopt;
}

Tensor value_of(const Node& node) {
  if (node.has("value_float")) return Tensor::scalar(node.attr_float("value_float"));
  if (node.has("value_floats")) return Tensor::vector(node.attr_floats("value_floats"));
  if (node.has("value_int")) return Tensor::scalar(node.attr_int("value_int"));
  if (node.has("value_ints")) return Tensor::vector(node.attr_ints("value_ints"));
  return node.attr_tensor("value");
}

std::unique_ptr<Kernel> make_constant(const Node& node) {
  return make_kernel([value = value_of(node)](KernelContext& c) { c.set_output(0, value); });
}

std::unique_ptr<Kernel> make_constant_of_shape(const Node& node) {
  const Tensor value = node.has("value") ? node.attr_tensor("value") : Tensor::scalar(0.0f);
  if (value.size() != 1)
    throw Error(Code::model, "the attribute value must hold one element, its shape is " +
                                 to_string(value.shape()));
  return make_kernel([value](KernelContext& c) {
    Tensor& result = c.output(0, value.dtype(), c.input(0).to_vector<std::int64_t>());
    visit_width(value, [&](auto zero) {
      using T = decltype(zero);
      std::fill_n(reinterpret_cast<T*>(result.raw_mutate()), result.size(),
                  *reinterpret_cast<const T*>(value.raw()));
    });
  });
}

void infer_constant(RuleContext& c) {
  const Node& node = c.node();
  if (node.has("value_string")) return c.set(0, DType::string, Dims{});
  if (node.has("value_strings"))
    return c.set(0, DType::string, Dims{dim_of(std::ssize(node.attr_strings("value_strings")))});
  const Tensor value = value_of(node);
  c.set(0, {.dtype = value.dtype(), .dims = dims_of(value.shape()), .constant = value});
}

void infer_constant_of_shape(RuleContext& c) {
  const DType type = c.node().has("value") ? c.node().attr_tensor("value").dtype() : DType::f32;
  c.set(0, type);
  if (const auto shape = c.numbers(0)) c.set(0, type, dims_of(*shape));
}

}  // namespace

void register_constant(Registry& registry) {
  registry.add({.op = "Constant",
                .refuse = refuse_constant,
                .make = make_constant,
                .infer = infer_constant});
  registry.add({.op = "ConstantOfShape",
                .since = 9,
                .make = make_constant_of_shape,
                .infer = infer_constant_of_shape});
}

}  // namespace intaglio
