// Models from files that are evaluated as they are, quantized or not.
#pragma once

#include <string>

#include "apps/pipeline/context.h"
#include "apps/pipeline/execution.h"
#include "apps/pipeline/prepare.h"
#include "lib/exec/executor.h"

namespace intaglio {

struct LoadedModel {
  Model model;  // with a float interface, as fast as it can be run
  SourceFile source;
};
LoadedModel load_ready(const std::string& path, Context& context);

// A model on the executor; it must outlive this.
struct ReadyModel {
  Execution execution;
  Executor executor;
  ReadyModel(const Model& model, Arithmetic exact)
      : execution(model, exact), executor(execution.graph(), execution.options()) {}
};

}  // namespace intaglio
