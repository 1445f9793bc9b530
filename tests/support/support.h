// What tests share: where the files are, and how two tensors are compared.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/exec/samples.h"
#include "lib/graph/model.h"
#include "lib/tensor/tensor.h"
#include "tests/support/text_model.h"

namespace intaglio::testing {

std::filesystem::path source_dir();         // the root of the checkout
std::string data(const std::string& name);  // a file or folder of data/, the demo
bool contains(const std::string& text, const std::string& part);

// A path below the folder of optional assets ("../shared" beside the checkout, or
// $INTAGLIO_SHARED); nullopt when it is not there. Use SKIP_WITHOUT_SHARED to skip loudly.
std::optional<std::filesystem::path> shared(std::string_view relative);

#define SKIP_WITHOUT_SHARED(variable, relative)                                        \
  const auto variable##_found = ::intaglio::testing::shared(relative);                 \
  if (!variable##_found) GTEST_SKIP() << "optional asset not at hand: " << (relative); \
  const std::filesystem::path variable = *variable##_found

// A folder of its own for the running test, emptied first and removed when the process ends.
std::filesystem::path fresh_folder();

// Succeeds when type, shape and values agree: |a - b| <= atol + rtol * |b|; NaN equals NaN.
::testing::AssertionResult close(const Tensor& actual, const Tensor& expected, double rtol = 1e-5,
                                 double atol = 1e-6);

// Runs a text model on feeds in order.
std::vector<Tensor> run_text(const TextModel& text, const std::vector<Tensor>& feeds);

// A float tensor of a shape with reproducible values in [lo, hi).
Tensor random_tensor(Shape shape, unsigned seed = 1, float lo = -1, float hi = 1);

// A text model, "(float[1,3] x, float[3] b) => (float[] y) { ... }", with inferred types. Every
// graph input but the first is a constant with reproducible values in [-1, 1).
Model random_model(const std::string& graph, int opset = 13);

// Samples with one reproducible tensor each.
Samples random_samples(const Shape& shape, std::size_t count = 4);

// The outcome of running the program with arguments (not through a shell).
struct Ran {
  int exit_code;
  std::string out, err;
};
Ran run_program(const std::vector<std::string>& arguments);

// The same for any command, found along the PATH: {"timeout", "60", "chromium", ...}.
Ran run_command(const std::vector<std::string>& command);

}  // namespace intaglio::testing
