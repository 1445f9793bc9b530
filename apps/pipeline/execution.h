// How a quantized model is run: with integer arithmetic, as a runtime does, or simulated in float.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/words.h"
#include "lib/exec/compile.h"
#include "lib/passes/qdq/fuse_qdq.h"

namespace intaglio {

// Prepares a float model as quantize does, so that it runs as fast as it can. Leaves one that is
// quantized, or that cannot be prepared (an old operator without an equivalent), as it is.
void prepare_to_run(Model& model);

// How quantized operators are run: on integers, as runtimes do, or simulated in float.
enum class Arithmetic { integer, floating };
constexpr std::array<Word<Arithmetic>, 2> words(Arithmetic) {
  return {{{"integer", Arithmetic::integer}, {"float", Arithmetic::floating}}};
}

// How much of a quantized model runs in integers.
struct ExecutionSummary {
  bool integer = false;  // not simulated in float
  std::size_t integer_nodes = 0;
  std::vector<IntegerDecision> float_nodes = {};  // with reasons
};

// The graph to run in place of a model's: its integer form, or itself when the model is not
// quantized or `exact` is floating. The model must outlive it.
class Execution {
 public:
  // keep: float values that a tap will look for; see fuse_integers(). finish: a last edit of the
  // graph to run, which is then a copy.
  Execution(const Model& model, Arithmetic exact,
            const std::function<bool(std::string_view value)>& keep = {},
            const std::function<void(Graph&)>& finish = {});

  const Graph& graph() const { return copy_ ? copy_->graph() : model_.graph(); }
  // How to compile it: without observed values; a quantized model in float, and one that
  // quantizes while it runs, with the kernels that agree with onnxruntime to the bit.
  CompileOptions options() const;
  std::optional<ExecutionSummary> summary() const;  // nullopt: the model is not quantized

 private:
  const Model& model_;
  bool quantized_;
  bool integer_ = false, ordered_ = false;
  std::optional<Model> copy_;
  IntegerForm form_;
};

}  // namespace intaglio
