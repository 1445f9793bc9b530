// What all commands share: global options, the chosen action, and how they talk to the user.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/base/memory.h"
#include "lib/base/progress.h"

namespace intaglio {

struct Context {
  // Global options.
  int threads = 0;  // 0: all usable cores
  bool verbose = false, quiet = false;
  std::string config;  // read by expand_config() before the parse
  bool print_config = false;

  // Set by the parser: what the chosen command does.
  std::function<void()> action;

  std::size_t worker_count() const;
  Progress progress(std::string phase) const;  // bar or lines on stderr; empty with --quiet

  // Seconds and peak memory of each phase, for reports and --verbose.
  template <typename F>
  decltype(auto) phase(const std::string& name, F&& body) {
    const PhaseTimer timer(*this, name);
    return body();
  }
  std::vector<std::pair<std::string, double>> phases;
  double seconds() const;
  Json run_json(std::size_t samples, double sample_seconds) const;  // the "run" part of a report
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
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Each command adds its subcommand with options, and sets context.action when it is chosen.
void add_quantize(CLI::App& root, Context& context);
void add_calibrate(CLI::App& root, Context& context);
void add_merge(CLI::App& root, Context& context);
void add_compare(CLI::App& root, Context& context);
void add_evaluate(CLI::App& root, Context& context);
void add_run(CLI::App& root, Context& context);
void add_check(CLI::App& root, Context& context);
void add_analyze(CLI::App& root, Context& context);
void add_inspect(CLI::App& root, Context& context);

// A table on stdout; the first row is the head. Columns that look like numbers are right-aligned.
void print_table(const std::vector<std::vector<std::string>>& rows);
std::string percent(double value);  // "83.40"

}  // namespace intaglio
