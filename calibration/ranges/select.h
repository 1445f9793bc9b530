// Selection: the numbers of a plan, from statistics and weights.
#pragma once

#include <map>
#include <string>

#include "calibration/ranges/methods/selector.h"
#include "calibration/ranges/weight_range.h"
#include "calibration/statistics/statistics.h"
#include "lib/graph/graph.h"
#include "lib/quant/plan.h"

namespace intaglio {

enum class NonFinite { ignore, error };
constexpr std::array<Word<NonFinite>, 2> words(NonFinite) {
  return {{{"ignore", NonFinite::ignore}, {"error", NonFinite::error}}};
}

struct SelectOptions {
  Method method = parse_method("minmax");
  WeightMethod weights;
  double min_range = 0;  // see choose_affine
  // What NaN and infinities among the observed values mean. Ignored, they are counted and named in
  // a warning.
  NonFinite nonfinite = NonFinite::ignore;
  // Values leave a sharing group whose range would keep a Relu or Clip from being computed with
  // what makes its input (unshared.h): for runtimes whose Concat takes inputs of several scales.
  bool unshare = false;
  // Nodes whose data is not in the plan multiply codes that are made while the model runs,
  // as the dynamic form has it.
  bool data_quantized_later = false;
  // Of graph inputs, by name: ranges that follow from how they are made, whatever was observed.
  struct KnownRange {
    Range range;
    std::string why;  // for the notes: "what the recipe can give"
  };
  std::map<std::string, KnownRange> known = {};
  std::size_t threads = 1;
};

// Fills in the parameters of every activation, constant and bias of the plan:
//  - an activation's range is what the method chose, cut by what the graph knows (range_rules.h)
//    and joined over its sharing group; scores keep their whole range; that of a model input with
//    few distinct values is widened a little where they would all be rounded by half a step. Every
//    rule that changed something is in its notes;
//  - a weight's ranges are those of the weight method, after which the bias guard
//    (lib/quant/array.h) and the bound of the sums (lib/quant/sum_bounds.h) may raise its scales;
//    in half precision it has no numbers, and what is lost is named in plan.warnings;
//  - nodes that share a weight share its scales (lib/quant/shared_weights.h);
//  - a bias has scale s_x * s_w.
// Values that were never seen, or never finite, are quantized as dead and named in plan.warnings,
// as are NaN and infinities. Does not depend on threads. Throws Code::model for a NaN in a weight,
// Code::data for NonFinite::error and when no value has enough samples for the method.
void select(Plan& plan, const Graph& graph, const Observations& observations,
            const SelectOptions& options = {});

}  // namespace intaglio
