// Joins that would break a fusion. The inputs of a Concat share its range. When others among them
// lie below 0, zero gets a code above the lowest, and a runtime no longer drops the Relu behind a
// convolution: the convolution would run in float. Runtimes whose Concat takes inputs of several
// scales take a scale of its own for what the Relu makes.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"
#include "lib/quant/qparams.h"

namespace intaglio {

struct UnsharedPart {
  std::vector<std::string> values;  // those of the group that are moved copies of one another
  std::string group;                // a new name, unlike any other
  std::string joined;               // the group that they leave
  std::string maker;                // the result of the Relu or Clip
  std::string fused;                // the operator that it is fused into
  Range range;
};

// A step a little finer, by 0.05 %: of a range that lies evenly around 0, half a step lies beyond
// one of its ends, or, by the last bit, not.
QParams slightly_finer(QParams params);

// The parts that leave their groups: results of a Relu or Clip without a pair before it, which the
// codes of the joint range would not make redundant but those of another range do, with what movers
// other than Concat make of them. The range is
//  - the joint one moved so that it begins at 0: Concat then copies codes, shifted, and nothing is
//    rounded twice; or
//  - the part's own, where that serves: others than joins read it and its steps are so much finer
//    (2 s_own^2 < s_joint^2) that this outweighs the second rounding.
// ranges: by group, as joined. The plan's activations must have their own ranges.
std::vector<UnsharedPart> unshared(const Plan& plan, const Graph& graph,
                                   const std::unordered_map<std::string, Range>& ranges);

}  // namespace intaglio
