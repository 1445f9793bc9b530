// How a quantized model is run: with integer arithmetic, as a runtime does, or simulated in float.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "lib/base/json.h"
#include "lib/exec/compile.h"
#include "lib/passes/integers_fused.h"

namespace intaglio {

// --exact integer|float
void add_exact_option(CLI::App& command, std::string& exact);

// Prepares a float model as quantize does, so that it runs as fast as it can. Leaves one that is
// quantized, or that cannot be prepared (an old operator without an equivalent), as it is.
void prepare_to_run(Model& model);

// The graph to run in place of a model's: its integer form, or itself when the model is not
// quantized or `exact` is "float". The model must outlive it.
class Execution {
 public:
  // keep: float values that a tap will look for; see fuse_integers(). finish: a last edit of the
  // graph to run, which is then a copy.
  Execution(const Model& model, const std::string& exact,
            const std::function<bool(std::string_view value)>& keep = {},
            const std::function<void(Graph&)>& finish = {});

  const Graph& graph() const { return copy_ ? copy_->graph() : model_.graph(); }
  // How to compile it: without observed values; a quantized model in float, and one that
  // quantizes while it runs, with the kernels that agree with onnxruntime to the bit.
  CompileOptions options() const;
  // The "execution" part of a report; null for a model that is not quantized.
  Json json() const;

 private:
  const Model& model_;
  bool quantized_;
  bool integer_ = false, ordered_ = false;
  std::optional<Model> copy_;
  IntegerForm form_;
};

}  // namespace intaglio
