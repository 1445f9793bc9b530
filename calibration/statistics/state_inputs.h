// State inputs: graph inputs that a caller feeds with what the model made in the run before (caches
// of keys and values, hidden states). Calibration data hold zeros there, whose range says nothing:
// where a state has the shape of what feeds it, calibration runs on with it; otherwise it has the
// range of what feeds it, and where nothing does its readers stay float (unsuitable.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "calibration/statistics/statistics.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

// The output that comes back as an input in the next run, by the name of the input: of one type and
// of shapes that do not contradict each other, and
//  - named alike but for words and letters that tell before from behind (past_0_key and
//    present_0_key, h and hn, state_in and state_out, cache and new_cache); or
//  - the only two of their shape, in a graph with other inputs and outputs.
std::map<std::string, std::string> state_pairs(const Graph& graph);

// The graph input that the value is, moved about or not; null: it is computed.
const Value* input_of(const Value& value);

// The values that calibration measures: activations of the plan, and the outputs that feed state
// inputs which are among them or are moved to them.
std::set<std::string> measured_values(const Graph& graph, const Plan& plan);

// State inputs of zeros, with outputs of their shape to feed them, run on: the model is run again
// with what it made, so that calibration sees states.
class StateFeeds {
 public:
  static constexpr int runs = 3;  // after the first

  explicit StateFeeds(const Graph& graph);

  // The feeds of the next run: those state inputs that were all zeros in `first`, or of no length,
  // have what the last run made, where its shape is one that they take. nullopt: there is none.
  // Feeds and results in the order of the graph. Other inputs (a mask of all positions) may not go
  // with longer states: the run then throws.
  std::optional<std::vector<Tensor>> next(const std::vector<Tensor>& first,
                                          const std::vector<Tensor>& results) const;

  // The names of the state inputs that are zeros in a sample.
  std::vector<std::string> zeros(const std::vector<Tensor>& first) const;

 private:
  struct Pair {
    const Value* input;
    std::size_t feed, output;  // places
  };
  std::vector<Pair> pairs_;
};

// Whether the value was measured and nothing but zeros.
bool is_zero(const Observations& observations, const std::string& value);

// State inputs of zeros whose outputs were measured as something else: input -> output, whose
// statistics stand for its own.
std::map<std::string, std::string> ranges_of_states(const Graph& graph,
                                                    const Observations& observations);

}  // namespace intaglio
