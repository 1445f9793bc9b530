// What the stages share with who calls them: threads, progress, the files that are written, and the
// time that each phase took.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apps/pipeline/outputs.h"
#include "lib/base/json.h"
#include "lib/base/progress.h"

namespace intaglio {

// One per call of a stage's entry point; phases add up over its life. Not for several threads at
// once: the stages spread their work themselves.
struct Context {
  int threads = 0;       // 0: all usable cores
  bool verbose = false;  // a line of log for each phase
  // How a phase shows its progress; empty: nobody looks.
  std::function<Progress(std::string phase)> show;
  std::string part;  // what the phases are part of, for their progress: "try 3"; empty: the whole

  Json options;  // those in effect, for reports; null: unknown

  // How a line is said to whoever looks; empty: nobody does.
  std::function<void(const std::string& line)> say;
  // Says it, unless it was said before; then false.
  bool tell(const std::string& line);

  // Stages put their files there, and name what they read; the caller commits.
  Outputs outputs;

  std::size_t worker_count() const;
  Progress progress(std::string phase) const;

  // Runs the body and notes its seconds and, where verbose, the peak memory.
  template <typename F>
  decltype(auto) phase(const std::string& name, F&& body) {
    const PhaseTimer timer(*this, name);
    return body();
  }
  std::vector<std::pair<std::string, double>> phases;  // name, seconds; names may recur
  double seconds() const;                              // since the context was made
  double seconds_of(const std::string& phase) const;

 private:
  struct PhaseTimer {
    PhaseTimer(Context& context, std::string name);
    ~PhaseTimer();
    PhaseTimer(const PhaseTimer&) = delete;
    PhaseTimer& operator=(const PhaseTimer&) = delete;
    Context& context;
    std::string name;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  };
  std::set<std::string> told_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace intaglio
