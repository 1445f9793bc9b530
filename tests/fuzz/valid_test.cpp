// Valid models must go through every form: each operator of the onnx project's tests behind a
// product with weights, and with its results' shapes computed with.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/fuzz/outcome.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

struct Tried {
  std::size_t runs = 0, refused = 0, ours = 0;
  std::map<std::string, int> reasons;
};

void try_all(const Seed& seed, const std::filesystem::path& folder, Tried& tried) {
  if (!seed.model.has_graph()) return;
  for (const Way way : all_ways) {
    std::cerr << seed.name << ": " << name_of(way) << '\r';  // the last line of a crash
    const Outcome outcome = outcome_of(seed.model, seed.feeds, way, folder);
    ++tried.runs;
    tried.refused += outcome.refused;
    tried.ours += outcome.ours;
    if (outcome.refused) ++tried.reasons[outcome.reason.substr(0, 200)];
    EXPECT_FALSE(outcome.ours) << seed.name << ": " << name_of(way) << ": " << outcome.reason;
  }
}

TEST(ValidModels, OwnNetworksGoThroughEveryForm) {
  const auto folder = fresh_folder();
  for (const Seed& seed : own_seeds())
    for (const Way way : all_ways) {
      const Outcome outcome = outcome_of(seed.model, seed.feeds, way, folder);
      // A model that is quantized already is not quantized again.
      const bool again = seed.name == "pairs" && way >= Way::qdq;
      EXPECT_EQ(outcome.refused, again)
          << seed.name << ": " << name_of(way) << ": " << outcome.reason;
    }
}

TEST(ValidModels, EveryOperatorBehindAProduct) {
  SKIP_WITHOUT_SHARED(data, "conformance/onnx/data/node");
  const auto folders = folders_in(data);
  const std::size_t step = sweeps_all() ? 1 : 12;
  const auto folder = fresh_folder();
  Tried tried;
  for (std::size_t i = 0; i < folders.size(); i += step)
    for (const Seed& seed : seed_in(folders[i])) {
      try_all(behind_matmul(seed), folder, tried);
      try_all(behind_matmul(with_constants(seed)), folder, tried);
      try_all(without_first_output(behind_matmul(with_constants(seed))), folder, tried);
      try_all(with_shapes_of_results(behind_matmul(with_constants(seed))), folder, tried);
    }
  for (const auto& [reason, count] : tried.reasons) std::cout << count << " " << reason << '\n';
  std::cout << tried.runs << " runs, " << tried.refused << " refused\n";
}

}  // namespace
}  // namespace intaglio::testing
