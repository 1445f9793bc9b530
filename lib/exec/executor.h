// The float executor: runs a graph on tensors, one call per sample.
//
//   Executor executor(model.graph());
//   std::vector<Tensor> outputs = executor.run(feeds, [](const Value& v, const Tensor& t) { ... });
//
// Threads: run() is const and may be called from many threads at once. Each call has a pool of
// buffers of its own; a buffer returns to it after its last use and serves the next value or the
// next run, so memory is bounded by the widest point of the graph times the number of concurrent
// calls.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "lib/exec/compile.h"

namespace intaglio {

// Called for every observed float value that a run meets, right after it is made and before its
// reader runs; graph inputs come first, constants never, nor values inside nested graphs. The
// tensor may have either layout.
using Tap = std::function<void(const Value& value, const Tensor& tensor)>;

struct Profile;  // lib/exec/profile.h

class Executor {
 public:
  // Throws Code::unsupported when a node has no kernel. The graph must outlive the executor and
  // must not be edited meanwhile.
  explicit Executor(const Graph& graph, const CompileOptions& options = {});

  const Graph& graph() const { return *program_.graph; }
  const Program& program() const { return program_; }

  // A constant that a step of the program reads was replaced in the graph, by one of the same type
  // and shape: makes its kernel again. Nothing may run meanwhile, and the step must not be fused.
  void renew(std::size_t step);

  // feeds: one tensor for each of graph().feeds(), in that order; types must match, and known
  // dimensions must too (Code::data otherwise). Returns one tensor for each of graph().outputs(),
  // row-major. Errors of a kernel name the node and the shapes of its inputs. profile: where to add
  // up the time of each step.
  std::vector<Tensor> run(std::span<const Tensor> feeds, const Tap& tap = {},
                          Profile* profile = nullptr) const;

 private:
  friend class Stepper;
  struct Buffers;  // pools of the runs that have ended, for those to come
  void check_feed(const Value& value, const Tensor& tensor) const;
  std::string_view name_of_result(const Step& step) const;
  void run_step(const Step& step, std::vector<Tensor>& slots) const;

  Program program_;
  std::shared_ptr<Buffers> buffers_;
};

// A run that stops after every step, for those who take many samples through the graph side by
// side. Buffers are not pooled. Not more than one thread at a time.
class Stepper {
 public:
  // The executor must outlive it. Feeds as for Executor::run().
  Stepper(const Executor& executor, std::span<const Tensor> feeds);

  void run(const Step& step);     // one of executor.program().steps, each in its turn
  void forget(const Step& step);  // lets go of the values that no later step reads
  Tensor& value(int slot) { return slots_[static_cast<std::size_t>(slot)]; }

 private:
  const Executor& executor_;
  std::vector<Tensor> slots_;
};

}  // namespace intaglio
