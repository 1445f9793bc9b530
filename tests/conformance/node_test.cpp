// The backend tests of the onnx project, in groups as they come: node/ tests single operators.
#include <gtest/gtest.h>

#include "tests/conformance/runner.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class Conformance : public ::testing::TestWithParam<std::string> {};

TEST_P(Conformance, AgreesWithTheLists) {
  SKIP_WITHOUT_SHARED(folder, "conformance/onnx/data/" + GetParam());
  std::map<std::string, Outcome> outcomes;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (std::filesystem::exists(entry.path() / "model.onnx"))
      outcomes[entry.path().filename().string()] = run_folder(entry.path());
  check_outcomes(GetParam(), outcomes);
}

// Preparation keeps what a model computes, unless it says that it cannot raise the opset. It widens
// half precision, so what was rounded to bfloat16 differs by more than the tolerance.
TEST_P(Conformance, PreparedModelsPassToo) {
  SKIP_WITHOUT_SHARED(folder, "conformance/onnx/data/" + GetParam());
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto path = entry.path() / "model.onnx";
    if (!std::filesystem::exists(path) || run_folder(entry.path()).kind != Outcome::passed)
      continue;
    const std::string name = entry.path().filename().string();
    const Outcome outcome = run_prepared_folder(entry.path());
    const bool excused = outcome.reason.find("cannot be raised") != std::string::npos ||
                         name.find("bfloat16") != name.npos || name.find("BFLOAT16") != name.npos;
    EXPECT_TRUE(outcome.kind == Outcome::passed || excused) << name << ": " << outcome.reason;
  }
}

INSTANTIATE_TEST_SUITE_P(Onnx, Conformance,
                         ::testing::Values("node", "simple", "pytorch-operator",
                                           "pytorch-converted"));

// Whole networks with constant weights.
class ConformanceLight : public ::testing::TestWithParam<std::string> {};

TEST_P(ConformanceLight, GivesWhatTheOnnxProjectGot) {
  SKIP_WITHOUT_SHARED(folder, "conformance/onnx/data/light");
  const Outcome outcome = run_light_model(folder / (GetParam() + ".onnx"));
  EXPECT_EQ(outcome.kind, Outcome::passed) << outcome.reason;
}

INSTANTIATE_TEST_SUITE_P(Onnx, ConformanceLight,
                         ::testing::Values("light_bvlc_alexnet", "light_densenet121",
                                           "light_inception_v1", "light_inception_v2",
                                           "light_resnet50", "light_shufflenet", "light_squeezenet",
                                           "light_vgg19", "light_zfnet512"));

}  // namespace
}  // namespace intaglio::testing
