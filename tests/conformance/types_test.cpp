// Types and shapes that are inferred for the onnx project's tests of single operators, compared
// with what their files state of the results. ONNX's own inference takes no part.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "lib/exec/infer.h"
#include "lib/exec/registry.h"
#include "lib/io/load.h"
#include "tests/conformance/runner.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

namespace fs = std::filesystem;

bool all_run(const Graph& graph) {
  return std::ranges::all_of(graph.nodes(), [](const Node* node) {
    return default_registry().knows(node->op(), node->domain()) &&
           std::ranges::all_of(node->nested_graphs(),
                               [](const auto& nested) { return all_run(*nested.second); });
  });
}

struct Count {
  int values = 0, ranks = 0, shapes = 0;
  std::string missing;
};

// Forgets what the file states of the outputs, infers, and compares.
void compare(Model& model, const std::string& name, Count& count) {
  std::vector<std::pair<DType, std::optional<Dims>>> stated;
  for (Value* output : model.graph().outputs()) {
    stated.emplace_back(output->dtype(), output->dims());
    if (output->producer() != nullptr) output->set_type(DType::undefined, std::nullopt);
  }
  infer_types(model, false);
  for (std::size_t i = 0; i < stated.size(); ++i) {
    const Value& output = *model.graph().outputs()[i];
    const auto& [dtype, dims] = stated[i];
    if (dtype == DType::undefined || !dims) continue;  // no tensor
    ++count.values;
    const bool ranked = output.dtype() == dtype && output.rank() == std::ssize(*dims);
    count.ranks += ranked;
    bool whole = ranked;
    for (std::size_t a = 0; ranked && a < dims->size(); ++a) {
      const Dim &found = (*output.dims())[a], &said = (*dims)[a];
      whole &= found.known() || !said.known();
      EXPECT_TRUE(!found.known() || !said.known() || found.value == said.value)
          << name << ": " << output.name() << " is not " << to_string(*output.dims());
    }
    count.shapes += whole;
    if (!whole)
      count.missing +=
          fmt::format("{}: {} is {}{}, not {}{}\n", name, output.name(), name_of(output.dtype()),
                      output.dims() ? to_string(*output.dims()) : " without a rank", name_of(dtype),
                      to_string(*dims));
  }
}

// Inputs that say how, not on what, have the values of the first set of test data.
void make_arguments_constant(Model& model, const fs::path& folder) {
  const auto feeds = model.graph().feeds();
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const bool number = feeds[i]->rank() == 0;
    if (i == 0 && !number && (feeds[i]->rank() != 1 || feeds[i]->dtype() != DType::s64)) continue;
    try {
      feeds[i]->set_constant(
          load_tensor(folder / "test_data_set_0" / fmt::format("input_{}.pb", i)));
    } catch (const Error&) {
      // Sequences, strings and the like stay inputs.
    }
  }
}

Count count_folder(const fs::path& folder, bool constant_arguments) {
  Count count;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto path = entry.path() / "model.onnx";
    if (!fs::exists(path)) continue;
    Model model = load_valid(path);
    if (!all_run(model.graph())) continue;
    if (constant_arguments) make_arguments_constant(model, entry.path());
    compare(model, entry.path().filename().string(), count);
  }
  return count;
}

class ConformanceTypes : public ::testing::TestWithParam<std::string> {};

TEST_P(ConformanceTypes, TypeAndRankOfEveryValue) {
  SKIP_WITHOUT_SHARED(folder, "conformance/onnx/data/" + GetParam());
  const Count count = count_folder(folder, false);
  std::cout << fmt::format("{}: of {} values, {} have their type and rank, {} the whole shape\n",
                           GetParam(), count.values, count.ranks, count.shapes);
  EXPECT_GE(count.ranks, 0.99 * count.values) << count.missing;
}

TEST_P(ConformanceTypes, ShapesThatFollowFromConstantArguments) {
  SKIP_WITHOUT_SHARED(folder, "conformance/onnx/data/" + GetParam());
  const Count count = count_folder(folder, true);
  std::cout << fmt::format("{}: of {} values, {} have the whole shape, with constant arguments\n",
                           GetParam(), count.values, count.shapes);
  EXPECT_GE(count.shapes, 0.97 * count.values) << count.missing;
}

INSTANTIATE_TEST_SUITE_P(Onnx, ConformanceTypes,
                         ::testing::Values("node", "simple", "pytorch-operator",
                                           "pytorch-converted"));

}  // namespace
}  // namespace intaglio::testing
