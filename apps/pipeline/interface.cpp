// --io before the work: which types it asks for, and whether the draft can have them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/pipeline/form.h"

namespace intaglio {
namespace {

// Why an end of the graph will not hold codes.
struct FloatEnd {
  const Value* value;
  bool input;
  std::string reason;
};

const NodePlan* plan_of(const Plan& plan, const Node& node) {
  const Value* output = first_output(node);
  const auto it = std::ranges::find_if(plan.nodes, [&](const NodePlan& n) {
    return output != nullptr && n.output == output->name();
  });
  return it == plan.nodes.end() ? nullptr : &*it;
}

std::string because(const NodePlan* node) {
  return node == nullptr || node->reason.empty() || node->quantized
             ? ""
             : fmt::format(" ({})", node->reason);
}

// nullopt: it will have codes, or holds no floats.
std::optional<FloatEnd> float_input(const Plan& plan, const Value& input) {
  if (!is_float(input.dtype())) return std::nullopt;
  for (const Use& use : input.uses())
    if (const NodePlan* reader = plan_of(plan, *use.node); reader != nullptr && !reader->quantized)
      return FloatEnd{&input, true,
                      fmt::format("{} reads it in float{}", use.node->label(), because(reader))};
  if (plan.find(input.name()) != nullptr) return std::nullopt;
  return FloatEnd{&input, true, "nothing reads it in integers"};
}

std::optional<FloatEnd> float_output(const Plan& plan, const Value& output) {
  if (!is_float(output.dtype()) || plan.find(output.name()) != nullptr) return std::nullopt;
  const Node* maker = output.producer();
  if (maker == nullptr) return FloatEnd{&output, false, "no node makes it"};
  return FloatEnd{
      &output, false,
      fmt::format("{} makes it in float{}", maker->label(), because(plan_of(plan, *maker)))};
}

std::optional<FloatEnd> float_end(const InterfaceTypes& io, const Graph& graph, const Plan& plan) {
  if (io.inputs != DType::undefined)
    for (const Value* input : graph.feeds())
      if (auto end = float_input(plan, *input)) return end;
  if (io.outputs != DType::undefined)
    for (const Value* output : graph.outputs())
      if (auto end = float_output(plan, *output)) return end;
  return std::nullopt;
}

DType type_named(std::string_view word, std::string_view text) {
  const auto type = value_in(interface_types, word);
  if (!type)
    throw Error(Code::usage, fmt::format("--io {}: '{}' not in {{float,s8,u8}}", text, word),
                "Say one for both ends, or two as in --io s8,float: inputs, outputs.");
  return *type;
}

}  // namespace

InterfaceTypes parse_interface(std::string_view text) {
  const std::size_t comma = text.find(',');
  const DType inputs = type_named(text.substr(0, comma), text);
  if (comma == std::string_view::npos) return {inputs, inputs};
  return {inputs, type_named(text.substr(comma + 1), text)};
}

std::string text_of(const InterfaceTypes& types) {
  const auto inputs = word_in(interface_types, types.inputs);
  if (types.inputs == types.outputs) return std::string(inputs);
  return fmt::format("{},{}", inputs, word_in(interface_types, types.outputs));
}

void require_interface(const FormOptions& options, const Graph& graph, const Plan& draft,
                       std::span<const Target> others) {
  if (!options.io.any() || options.from_qdq) return;
  const auto end = float_end(options.io, graph, draft);
  if (!end) return;
  std::vector<std::string> able;
  for (const Target& target : others) {
    const Plan plan = draft_for(options, graph, target, {});
    if (target.name != draft.target && !float_end(options.io, graph, plan))
      able.push_back(target.name);
  }
  InterfaceTypes less = options.io;
  (end->input ? less.inputs : less.outputs) = DType::undefined;
  std::string remedy =
      less.any() ? fmt::format("Say --io {}", text_of(less)) : fmt::format("Keep --io float");
  if (!able.empty())
    remedy +=
        fmt::format(", or take a target that quantizes it: --target {}", fmt::join(able, ", "));
  throw Error(Code::unsupported,
              fmt::format("--io {}: {} '{}': {}", text_of(options.io),
                          end->input ? "input" : "output", end->value->name(), end->reason),
              remedy + ".");
}

}  // namespace intaglio
