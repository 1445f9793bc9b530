// Every way to break every seed, one at a time: refused with a reason, or run; never a signal, and
// never an error that is a bug of ours.
//
// A share of the cases in the suite. Otherwise by variables of the environment:
//   INTAGLIO_SWEEP=all      all of them, each named on stderr before it runs
//   INTAGLIO_SWEEP_STEP=N   every Nth of them, with the above
//   INTAGLIO_SWEEP_AT=N     from case N on, which is what the last line says of a crash
//   INTAGLIO_SWEEP_KEEP=DIR writes the models there, and what was said of each to DIR/said.tsv
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "lib/base/memory.h"
#include "tests/fuzz/mutations.h"
#include "tests/fuzz/outcome.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

std::size_t number_in(const char* variable, std::size_t fallback) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : fallback;
}

class Sweep {
 public:
  // Every step-th case is run.
  explicit Sweep(std::size_t step) : step_(step), first_(number_in("INTAGLIO_SWEEP_AT", 0)) {
    if (sweeps_all()) step_ = number_in("INTAGLIO_SWEEP_STEP", 1);
    set_memory_limit(std::size_t{256} << 20);
  }
  ~Sweep() {
    std::cout << runs_ << " runs of " << cases_ << " cases, " << refused_ << " refused\n";
  }

  void over(const Seed& seed) {
    if (!seed.model.has_graph()) return;
    for (const Mutation& mutation : mutations_of(seed.model)) {
      const Way way = all_ways[cases_ % all_ways.size()];
      if (cases_ >= first_ && cases_ % step_ == 0) run(seed, mutation, way);
      ++cases_;
    }
  }

 private:
  void run(const Seed& seed, const Mutation& mutation, Way way) {
    const std::string name = "case " + std::to_string(cases_) + ": " + seed.name + ": " +
                             mutation.name + ": " + name_of(way);
    if (sweeps_all()) std::cerr << name << '\n';
    onnx::ModelProto model = seed.model;
    mutation.apply(model);
    const Outcome outcome = outcome_of(model, seed.feeds, way, folder_);
    ++runs_;
    refused_ += outcome.refused;
    keep(model, way, name, outcome);
    EXPECT_FALSE(outcome.ours) << name << ": " << outcome.reason;
    if (outcome.refused) {
      EXPECT_NE(outcome.reason, "") << name;
    }
  }

  void keep(const onnx::ModelProto& model, Way way, const std::string& name,
            const Outcome& outcome) const {
    const char* folder = std::getenv("INTAGLIO_SWEEP_KEEP");
    if (folder == nullptr) return;
    const std::string file = std::to_string(cases_) + ".onnx";
    std::ofstream bytes(std::filesystem::path(folder) / file, std::ios::binary);
    model.SerializeToOstream(&bytes);
    std::ofstream said(std::filesystem::path(folder) / "said.tsv", std::ios::app);
    said << file << '\t' << name_of(way) << '\t' << (outcome.refused ? "refused" : "taken") << '\t'
         << name << '\t' << outcome.reason << '\n';
  }

  std::filesystem::path folder_ = fresh_folder();
  std::size_t step_, first_;
  std::size_t cases_ = 0, runs_ = 0, refused_ = 0;
};

TEST(BrokenModels, OfOwnNetworks) {
  Sweep sweep(5);
  for (const Seed& seed : own_seeds()) sweep.over(seed);
}

TEST(BrokenModels, OfEveryOperator) {
  SKIP_WITHOUT_SHARED(data, "conformance/onnx/data/node");
  Sweep sweep(101);
  for (const auto& path : folders_in(data))
    for (const Seed& seed : seed_in(path)) {
      sweep.over(with_constants(seed));
      sweep.over(behind_matmul(with_constants(seed)));
    }
}

}  // namespace
}  // namespace intaglio::testing
