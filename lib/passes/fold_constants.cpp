// fold_constants
//   Before: a Constant node; a node that reads constants alone; Shape or Size of a value whose
//           dimensions are all known.
//   After:  the outputs are initializers under their own names; the node is gone. Nested graphs
//           included.
//   Kept:   - nodes that make a graph output, have nested graphs, are random, or have no kernel;
//           - DequantizeLinear: its constant is how a quantized model stores a weight;
//           - results more than 1 MiB larger than what they are computed from (Expand, Tile, ...):
//             the file would grow, the run would gain nothing;
//           - element types that a tensor cannot hold (strings, small floats).
//   The result is that of the kernels of lib/exec, thus the same as at run time. Equal matrices
//   that are computed of other constants (a weight that each of several layers transposes) become
//   one, as what they are made of is one.

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "lib/base/log.h"
#include "lib/exec/registry.h"
#include "lib/passes/list.h"
#include "lib/tensor/broadcast.h"

namespace intaglio {
namespace {

// Bytes that a result may have beyond what it is made of. Runtimes compute the rest when they load
// the model (the matrices of a Fourier transform, of two vectors): the file need not hold them.
constexpr std::size_t growth_limit = std::size_t{1} << 16;
constexpr std::array kept = {"DequantizeLinear", "Dropout",       "RandomNormal",
                             "RandomNormalLike", "RandomUniform", "RandomUniformLike",
                             "Multinomial",      "Bernoulli"};

bool may_fold(const Node& node) {
  if (!node.nested_graphs().empty() || std::find(kept.begin(), kept.end(), node.op()) != kept.end())
    return false;
  const auto holds = [](const Value* v) {
    return v == nullptr || (v->is_constant() && bits_of(v->constant().dtype()) != 0);
  };
  const auto plain = [](const Value* v) { return v == nullptr || !v->is_output(); };
  return std::all_of(node.outputs().begin(), node.outputs().end(), plain) &&
         std::all_of(node.inputs().begin(), node.inputs().end(), holds);
}

// The elements of the result of an operator whose size is in its inputs' values; 0: not known.
std::int64_t foreseen_size(const Node& node) {
  const auto values = [&](std::size_t i) {
    return node.input(i)->constant().to_vector<std::int64_t>();
  };
  for (std::size_t i = 0; i < (node.is("ConstantOfShape") ? 1 : 2); ++i)
    if (node.input(i) == nullptr) return 0;
  if (node.is("ConstantOfShape")) return element_count(values(0));
  if (node.is("Expand"))
    return element_count(broadcast_shapes(node.input(0)->constant().shape(), values(1)));
  if (node.is("Tile")) return element_count(values(1)) * node.input(0)->constant().size();
  return 0;
}

// What the node makes, one tensor per output; nothing when that cannot or should not be known now.
std::vector<Tensor> evaluate(const Node& node) {
  std::vector<const Tensor*> inputs;
  std::size_t limit = growth_limit;
  for (const Value* value : node.inputs()) {
    inputs.push_back(value != nullptr ? &value->constant() : nullptr);
    if (value != nullptr) limit += value->constant().bytes();
  }
  std::vector<Tensor> outputs(node.outputs().size());
  try {
    if (foreseen_size(node) > static_cast<std::int64_t>(limit)) return {};
    const auto kernel = default_registry().select(node).make(node);
    KernelContext context(node, inputs, outputs);
    kernel->run(context);
  } catch (const Error& e) {
    // Perhaps the node never runs (in a branch not taken); if it does, the executor reports the
    // error.
    if (e.code() == Code::internal || e.code() == Code::interrupted) throw e.within(node.label());
    log::debug("{} is not folded: {}", node.label(), e.what());
    return {};
  } catch (const std::bad_alloc&) {
    return {};
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (node.output(i) != nullptr && bits_of(outputs[i].dtype()) == 0) return {};
    outputs[i] = to_row_major(outputs[i]);
    bytes += outputs[i].bytes();
  }
  if (!node.is("Constant") && bytes > limit) return {};
  return outputs;
}

// Shape (with start and end, opset 15) or Size of a value with known dimensions; undefined
// otherwise.
Tensor static_shape(const Node& node) {
  if (node.input(0) == nullptr || node.output(0) == nullptr || node.output(0)->is_output())
    return {};
  const auto& dims = node.input(0)->dims();
  if (!dims || !std::all_of(dims->begin(), dims->end(), [](const Dim& d) { return d.known(); }))
    return {};
  Shape shape;
  for (const Dim& dim : *dims) shape.push_back(dim.value);
  if (node.is("Size")) return Tensor::scalar(element_count(shape));
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto clamped = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const auto start = clamped(node.attr_int("start", 0)), end = clamped(node.attr_int("end", rank));
  if (start >= end) return Tensor::vector(Shape{});
  return Tensor::vector(Shape(shape.begin() + start, shape.begin() + end));
}

// A matrix that was computed of another constant, and is neither a part nor a repetition of it.
bool is_made_over(const Node& node, const Tensor& result) {
  return result.rank() >= 2 && !node.is("Constant") && !node.is("Slice") &&
         std::ranges::any_of(node.inputs(), [&](const Value* v) {
           return v != nullptr && v->is_constant() && v->constant().bytes() * 2 >= result.bytes();
         });
}

bool are_equal(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// The first of the values that holds this; null: none does.
Value* holder_of(const Tensor& tensor, const std::vector<Value*>& values) {
  const auto it = std::ranges::find_if(
      values, [&](const Value* v) { return are_equal(v->constant(), tensor); });
  return it == values.end() ? nullptr : *it;
}

// The value has this contents from now on. What is made over becomes the first that is equal.
void keep(Value& value, Tensor tensor, bool made_over, std::vector<Value*>& made) {
  if (Value* same = made_over ? holder_of(tensor, made) : nullptr; same != nullptr) {
    value.graph().replace_uses(value, *same);
    value.graph().erase(value);
    return;
  }
  value.set_constant(std::move(tensor));
  if (made_over) made.push_back(&value);
}

bool any_larger(const std::vector<Tensor>& results, std::int64_t most) {
  return most > 0 && std::ranges::any_of(results, [&](const Tensor& t) { return t.size() > most; });
}

int fold(Graph& graph, const PrepareOptions& options) {
  int rewrites = 0;
  std::vector<Value*> made;  // matrices of other constants
  for (Node* node : graph.nodes()) {
    if (options.constant_nodes_alone && !node->is("Constant")) continue;
    std::vector<Tensor> results;
    if (node->is("Shape") || node->is("Size")) {
      if (Tensor shape = static_shape(*node); shape.defined()) results = {shape};
    }
    if (results.empty() && may_fold(*node)) results = evaluate(*node);
    if (results.empty() || any_larger(results, options.most_elements)) continue;
    const std::vector<Value*> outputs(node->outputs().begin(), node->outputs().end());
    std::vector<bool> over;
    for (const Tensor& result : results) over.push_back(is_made_over(*node, result));
    graph.erase(*node);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (outputs[i] != nullptr) keep(*outputs[i], std::move(results[i]), over[i], made);
    ++rewrites;
  }
  return rewrites;
}

}  // namespace

int fold_constants(Model& model, const PrepareOptions& options) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model)) rewrites += fold(*graph, options);
  return rewrites;
}

}  // namespace intaglio
