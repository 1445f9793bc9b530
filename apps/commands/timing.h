// How fast a model runs: latencies, samples per second, and the time of each node.
#pragma once

#include <span>
#include <vector>

#include "lib/base/json.h"
#include "lib/exec/executor.h"
#include "lib/exec/profile.h"

namespace intaglio {

// Runs of the same feeds, one after the other, in milliseconds. The outputs are those of the last
// run.
struct Timed {
  std::vector<Tensor> outputs;
  std::vector<double> ms;
};
Timed run_repeatedly(const Executor& executor, std::span<const Tensor> feeds, int repeat,
                     Profile* profile);

// The same runs spread over threads; returns how many ended per second.
double runs_per_second(const Executor& executor, std::span<const Tensor> feeds, int repeat,
                       std::size_t threads);

Json latency_json(std::vector<double> ms);  // {"min", "median", "p95"}
Json profile_json(const Profile& profile);  // one entry per step, in the order of the run
void print_profile(const Json& profile);

}  // namespace intaglio
