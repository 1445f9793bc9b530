// The backend tests of the onnx project, in groups as they come: node/ tests single operators.
#include <gtest/gtest.h>

#include "tests/conformance/runner.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class Conformance : public ::testing::TestWithParam<std::string> {};

TEST_P(Conformance, AgreesWithThePassingList) {
  SKIP_WITHOUT_SHARED(folder, "conformance/onnx/data/" + GetParam());
  std::map<std::string, Outcome> outcomes;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (std::filesystem::exists(entry.path() / "model.onnx"))
      outcomes[entry.path().filename().string()] = run_folder(entry.path());
  check_outcomes(GetParam(), outcomes);
}

INSTANTIATE_TEST_SUITE_P(Onnx, Conformance,
                         ::testing::Values("node", "simple", "pytorch-operator",
                                           "pytorch-converted"));

// Whole networks with constant weights. Only those that plain loops run in a second or two.
TEST(ConformanceLight, AgreesWithThePassingList) {
  SKIP_WITHOUT_SHARED(folder, "conformance/onnx/data/light");
  std::map<std::string, Outcome> outcomes;
  for (const std::string name : {"light_shufflenet", "light_squeezenet"})
    outcomes[name] = run_light_model(folder / (name + ".onnx"));
  check_outcomes("light", outcomes);
}

}  // namespace
}  // namespace intaglio::testing
