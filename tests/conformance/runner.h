// Runs the backend tests of the onnx project: folders that hold a model, inputs and expected
// outputs.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "lib/graph/model.h"

namespace intaglio::testing {

struct Outcome {
  enum Kind { passed, failed, unknown_op } kind;
  std::string reason;  // of a failure: what differs or what was refused; of an unknown op: its name
};

// A valid model without calls of functions.
Model load_valid(const std::filesystem::path& path);

// A folder with model.onnx and test_data_set_*/{input,output}_*.pb. Floats may differ by the
// tolerance of the onnx project, everything else must agree exactly.
Outcome run_folder(const std::filesystem::path& folder);

// The same after all passes of preparation.
Outcome run_prepared_folder(const std::filesystem::path& folder);

// A single .onnx file and its first output beside it, <stem>_output_0.pb. The file has no input: it
// is what the onnx project feeds, the numbers 0, 1/n, 2/n, ...
Outcome run_light_model(const std::filesystem::path& model);

// Compares the outcomes of one group of tests with what the lists say of "<group>/<name>":
// passing.txt names the tests that pass, failing.txt the others, each with a tab and the reason.
// Every test must be in one of them, and do as it says. Prints how many pass and why the others do
// not. INTAGLIO_UPDATE_CONFORMANCE=1 rewrites the lines of the group instead; reasons that are
// there already stay (run the test program itself then: ctest would run the groups at the same
// time).
void check_outcomes(std::string_view group, const std::map<std::string, Outcome>& outcomes);

}  // namespace intaglio::testing
