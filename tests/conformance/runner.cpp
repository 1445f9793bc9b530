#include "tests/conformance/runner.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "lib/exec/executor.h"
#include "lib/exec/infer.h"
#include "lib/io/load.h"
#include "lib/passes/pass.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

namespace fs = std::filesystem;

// The first operator, nested graphs included, that no kernel is registered for.
std::optional<std::string> unknown_op(const Graph& graph) {
  for (const Node* node : graph.nodes()) {
    if (!default_registry().knows(node->op(), node->domain()))
      return node->domain().empty() ? node->op() : node->domain() + "." + node->op();
    for (const auto& nested : node->nested_graphs())
      if (auto op = unknown_op(*nested.second)) return op;
  }
  return std::nullopt;
}

// Sequences, optionals, strings and 8-bit floats have no tensor of ours.
Tensor load_checked(const fs::path& path, const Value& value) {
  if (value.dtype() == DType::undefined)
    throw Error(Code::unsupported, "a value that is no tensor");
  if (bits_of(value.dtype()) == 0)
    throw Error(Code::unsupported,
                fmt::format("a value of the ONNX type {}", static_cast<int>(value.dtype())));
  return load_tensor(path);
}

std::vector<Tensor> load_all(const fs::path& folder, const char* kind,
                             const std::vector<Value*>& values) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Tensor tensor = load_checked(folder / fmt::format("{}_{}.pb", kind, i), *values[i]);
    // Preparation widens half precision, at the inputs and outputs too.
    const bool widened = is_float(tensor.dtype()) && values[i]->dtype() == DType::f32;
    tensors.push_back(widened ? convert(tensor, DType::f32) : tensor);
  }
  return tensors;
}

void compare(const Tensor& actual, const Tensor& expected, const std::string& name) {
  const double rtol = is_float(expected.dtype()) ? 1e-3 : 0, atol = rtol == 0 ? 0 : 1e-7;
  if (const auto result = close(actual, expected, rtol, atol); !result)
    throw Error(Code::accuracy, fmt::format("output '{}': {}", name, result.message()));
  // close() compares as double, which does not tell all 64-bit integers apart.
  if (rtol == 0 && std::memcmp(actual.raw(), expected.raw(), expected.bytes()) != 0)
    throw Error(Code::accuracy, fmt::format("output '{}' differs", name));
}

template <typename Body>
Outcome outcome_of(const fs::path& path, Body body, bool prepared = false) {
  try {
    Model model = load_valid(path);
    if (prepared) prepare(model);
    if (auto op = unknown_op(model.graph())) return {Outcome::unknown_op, *op};
    body(Executor(model.graph()));
    return {Outcome::passed, {}};
  } catch (const std::exception& e) {
    return {Outcome::failed, e.what()};
  }
}

void run_and_compare(const Executor& executor, const std::vector<Tensor>& feeds,
                     const std::vector<Tensor>& expected) {
  const std::vector<Tensor> actual = executor.run(feeds);
  for (std::size_t i = 0; i < expected.size(); ++i)
    compare(actual[i], expected[i], executor.graph().outputs()[i]->name());
}

// Runs all test_data_set_* of a folder.
auto test_data_of(const fs::path& folder) {
  return [folder](const Executor& executor) {
    const Graph& graph = executor.graph();
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_directory())
        run_and_compare(executor, load_all(entry.path(), "input", graph.feeds()),
                        load_all(entry.path(), "output", graph.outputs()));
  };
}

}  // namespace

Model load_valid(const fs::path& path) {
  Model model = load_model(path);
  require_valid(model);
  inline_functions(model);
  return model;
}

Outcome run_folder(const fs::path& folder) {
  return outcome_of(folder / "model.onnx", test_data_of(folder));
}

Outcome run_prepared_folder(const fs::path& folder) {
  return outcome_of(folder / "model.onnx", test_data_of(folder), true);
}

Outcome run_light_model(const fs::path& model) {
  return outcome_of(model, [&](const Executor& executor) {
    std::vector<Tensor> feeds;
    for (const Value* feed : executor.graph().feeds()) {
      Shape shape;
      for (const Dim& dim : feed->dims().value()) shape.push_back(dim.known() ? dim.value : 1);
      Tensor tensor(DType::f32, shape);
      const auto values = tensor.mutate<float>();
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(static_cast<double>(i) / static_cast<double>(values.size()));
      feeds.push_back(tensor);
    }
    auto expected = model;
    expected.replace_filename(model.stem().string() + "_output_0.pb");
    run_and_compare(executor, feeds, {load_tensor(expected)});
  });
}

}  // namespace intaglio::testing
