#include "lib/exec/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <set>
#include <unordered_map>

#include "lib/base/log.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"
#include "lib/graph/library_types.h"
#include "lib/graph/validate.h"

namespace intaglio {
namespace {

constexpr std::int64_t most_elements = 1024;  // of constants that are computed here

DType either(DType known, DType said) { return known == DType::undefined ? said : known; }

// Completes what is known with what the value says. Absurd lengths count as unknown, so that rules
// may compute with the others.
void fill_in(Known& known, const Value& value) {
  constexpr std::int64_t longest = std::int64_t{1} << 31;
  known.dtype = either(known.dtype, value.dtype());
  if (!known.dims) known.dims = value.dims();
  if (!known.dims) return;
  const bool comparable = value.dims() && known.dims->size() == value.dims()->size();
  for (std::size_t i = 0; i < known.dims->size(); ++i) {
    Dim& d = (*known.dims)[i];
    if (comparable) d = either(d, (*value.dims())[i]);
    if (d.value > longest) d = {};
  }
}

std::optional<Shape> shape_of(const Known& known) {
  if (!known.dims) return std::nullopt;
  Shape shape;
  for (const Dim& d : *known.dims) {
    if (!d.known()) return std::nullopt;
    shape.push_back(d.value);
  }
  return shape;
}

bool is_small(const Known& known) {
  try {
    const auto shape = shape_of(known);
    return shape && element_count(*shape) <= most_elements;
  } catch (const Error&) {
    return false;
  }
}

// Numbers that are all known are a constant.
void settle(Known& known) {
  if (!known.numbers || known.constant.defined() || !is_small(known)) return;
  std::vector<std::int64_t> values;
  for (const Number& n : *known.numbers) {
    if (!n.value) return;
    values.push_back(*n.value);
  }
  const Shape shape = *shape_of(known);
  if (element_count(shape) != std::ssize(values)) return;
  known.constant = convert(Tensor::of<std::int64_t>(shape, values), known.dtype);
}

// What to do about a malformed node.
enum class Faults {
  pass,       // nothing: what it makes is not known
  refuse,     // throw, where the main graph has it: a branch that is not taken may not fit
  try_feeds,  // the same for feeds of known shapes, whatever the model notes of shapes behind them
};

class Inference {
 public:
  explicit Inference(bool ask_library, Faults faults = Faults::pass)
      : ask_library_(ask_library), faults_(faults) {}

  // inputs: of the feeds of a nested graph. Returns what is known of the outputs.
  std::vector<Known> run(const Graph& graph, std::vector<Known> inputs) {
    visited_.insert(&graph);
    const auto feeds = graph.feeds();
    for (std::size_t i = 0; i < std::min(feeds.size(), inputs.size()); ++i) {
      fill_in(inputs[i], *feeds[i]);
      known_[feeds[i]] = std::move(inputs[i]);
    }
    for (const Node* node : graph.nodes()) infer(*node);
    std::vector<Known> outputs;
    for (const Value* output : graph.outputs()) outputs.push_back(known_of(*output));
    return outputs;
  }

  void learn(Graph& graph) const {
    for (Value* value : graph.values()) {
      const auto known = known_.find(value);
      if (known != known_.end() && !value->is_constant())
        value->learn(known->second.dtype, known->second.dims);
    }
    for (const Node* node : graph.nodes())
      for (const auto& [attr, nested] : node->nested_graphs()) learn(*nested);
  }

 private:
  const Known& known_of(const Value& value) {
    const auto [it, fresh] = known_.try_emplace(&value);
    if (fresh) {
      fill_in(it->second, value);
      if (value.is_constant()) it->second.constant = value.constant();
    }
    return it->second;
  }

  void infer(const Node& node) {
    std::vector<const Known*> inputs;
    for (const Value* value : node.inputs())
      inputs.push_back(value != nullptr ? &known_of(*value) : nullptr);
    const bool strict = faults_ != Faults::pass && node.graph().outer() == nullptr;
    if (strict) require_valid(node, types_of(inputs));
    std::vector<Known> outputs(node.outputs().size());
    if (const ShapeRule rule = default_registry().shape_rule(node)) {
      at(node, strict, [&] { apply(rule, node, inputs, outputs); });
      std::ranges::for_each(outputs, settle);
      at(node, strict, [&] { compute(node, inputs, outputs); });
    } else if (ask_library_) {
      ask(node, inputs, outputs);
    }
    for (const auto& [attr, graph] : node.nested_graphs())
      if (!visited_.contains(graph)) run(*graph, {});
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Value* value = node.output(i);
      if (value == nullptr) continue;
      if (strict && faults_ == Faults::refuse) require_as_said(node, *value, outputs[i]);
      if (faults_ == Faults::try_feeds)
        outputs[i].dtype = either(outputs[i].dtype, value->dtype());
      else
        fill_in(outputs[i], *value);
      known_[value] = std::move(outputs[i]);
    }
  }

  void apply(ShapeRule rule, const Node& node, const std::vector<const Known*>& inputs,
             std::vector<Known>& outputs) {
    const RuleContext::Body body = [&](std::string_view attr, std::vector<Known> given) {
      return run(node.attr_graph(attr), std::move(given));
    };
    RuleContext context(node, inputs, outputs, body);
    rule(context);
  }

  // Runs f. What it finds malformed is an error where we are strict, and nothing elsewhere.
  template <typename F>
  static void at(const Node& node, bool strict, F f) {
    try {
      f();
    } catch (const Error& e) {
      if (strict && e.code() == Code::model) throw e.within(node.label());
      log::debug("{}: not inferred: {}", node.label(), e.what());
    } catch (const std::exception& e) {
      log::debug("{}: not inferred: {}", node.label(), e.what());
    }
  }

  // Shapes of values inside are notes, which tools leave behind when they edit a graph; those of
  // graph outputs are what the model promises. Where axes are free, runtimes go by what comes out,
  // and models whose exporters guessed wrong are in use.
  static void require_as_said(const Node& node, const Value& value, const Known& made) {
    const DType said = value.dtype();
    if (made.dtype != DType::undefined && said != DType::undefined && made.dtype != said)
      throw Error(Code::model,
                  fmt::format("{}: output '{}' is of type {}, where the model says {}",
                              node.label(), value.name(), name_of(made.dtype), name_of(said)),
                  "The export is broken: export the model again.");
    if (!value.is_output() || !made.dims || !value.dims() || agree(*made.dims, *value.dims()))
      return;
    const std::string what =
        fmt::format("{}: output '{}' is of shape {}, where the model says {}", node.label(),
                    value.name(), to_string(*made.dims), to_string(*value.dims()));
    if (!std::ranges::all_of(*made.dims, &Dim::known)) return log::warn("{}", what);
    throw Error(Code::model, what,
                "Correct the shape that the model states for its output, or leave it out.");
  }

  static bool agree(const Dims& a, const Dims& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a[i].known() && b[i].known() && a[i].value != b[i].value) return false;
    return true;
  }

  static std::vector<ValueType> types_of(const std::vector<const Known*>& inputs) {
    std::vector<ValueType> types;
    for (const Known* known : inputs)
      types.push_back(known != nullptr ? ValueType{known->dtype, known->dims, known->constant}
                                       : ValueType{});
    return types;
  }

  // Small results of constants, by the reference kernel.
  void compute(const Node& node, const std::vector<const Known*>& inputs,
               std::vector<Known>& outputs) const {
    if (!node.nested_graphs().empty()) return;
    std::vector<const Tensor*> tensors;
    for (const Known* known : inputs) {
      if (known != nullptr && (!known->constant.defined() || !is_small(*known))) return;
      tensors.push_back(known != nullptr ? &known->constant : nullptr);
    }
    const bool done =
        std::ranges::all_of(outputs, [](const Known& k) { return k.constant.defined(); });
    if (done || !std::ranges::all_of(outputs, is_small)) return;
    std::vector<Tensor> made(outputs.size());
    KernelContext context(node, tensors, made);
    default_registry().reference(node).make(node)->run(context);
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (!made[i].defined()) continue;
      outputs[i] = {.dtype = made[i].dtype(), .dims = dims_of(made[i].shape())};
      outputs[i].constant = to_row_major(made[i]);
    }
  }

  static void ask(const Node& node, const std::vector<const Known*>& inputs,
                  std::vector<Known>& outputs) {
    const auto types = library_types(node, types_of(inputs));
    for (std::size_t i = 0; i < std::min(types.size(), outputs.size()); ++i)
      outputs[i] = {.dtype = types[i].dtype, .dims = types[i].dims};
  }

  bool ask_library_;
  Faults faults_;
  std::unordered_map<const Value*, Known> known_;
  std::set<const Graph*> visited_;
};

// The model with its functions looked through; nullopt where one cannot stand in the place of its call.
std::optional<Model> inlined(const Model& model) {
  Model copy = model.clone();
  try {
    inline_functions(copy);
  } catch (const Error& e) {
    if (e.code() != Code::unsupported) throw;
    log::debug("functions are not looked through: {}", e.what());
    return std::nullopt;
  }
  return copy;
}

void infer_inlined(Model& model, bool ask_library) {
  try {
    std::optional<Model> copy = inlined(model);
    if (!copy) return;
    infer_types(*copy, ask_library);
    for (Value* value : model.graph().values()) {
      const Value* twin = copy->graph().find(value->name());
      if (twin != nullptr && !value->is_constant()) value->learn(twin->dtype(), twin->dims());
    }
  } catch (const Error& e) {
    log::debug("functions are not looked through: {}", e.what());
  }
}

}  // namespace

void require_valid(const Model& model) {
  require_known_versions(model);
  require_typed_inputs(model.graph());
  if (model.function_count() > 0) {
    if (const auto copy = inlined(model)) require_valid(*copy);
    return;
  }
  Inference(/*ask_library=*/false, Faults::refuse).run(model.graph(), {});
}

void require_taken(const Graph& graph, const std::vector<Shape>& feeds) {
  std::vector<Known> inputs;
  for (const Shape& shape : feeds)
    inputs.push_back({.dtype = DType::undefined, .dims = dims_of(shape)});
  Inference(/*ask_library=*/false, Faults::try_feeds).run(graph, std::move(inputs));
}

void infer_types(Model& model, bool ask_library) {
  if (model.function_count() > 0) infer_inlined(model, ask_library);
  Inference inference(ask_library);
  inference.run(model.graph(), {});
  inference.learn(model.graph());
}

}  // namespace intaglio
