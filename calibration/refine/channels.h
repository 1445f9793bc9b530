// Shifts and scales by channel, taken up by the layers around a value, or by a copy of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibration/refine/layer.h"
#include "lib/graph/model.h"
#include "lib/quant/plan.h"

namespace intaglio {

// Rewrites the weights and biases of the layers that make and read the values, so that each holds
// x' = (x - shift) * scale and the network computes what it did:
//   made by:  w' = s_o w,    b' = s_o (b - m_o)
//   read by:  w' = w / s_i,  b' = b + sum w m_i
// Carriers (carrier.h) take up scales in their constants. Before a gate (gate.h) a new Mul takes
// the scales back. Of a value whose plan says `copied`, a new Mul makes the scaled copy, which
// every layer that reads the value along its last axis reads in its place. Returns the nodes that
// now hold scales, layers apart, by first output, with the reason why they should stay float: as in
// Selection::left_float. Throws Code::config when a plan does not fit the model.
std::map<std::string, std::string> apply_channels(Model& model,
                                                  const std::vector<ChannelPlan>& channels);

// The layers that would read a scaled copy of a value, in the order of the graph's nodes: MatMul
// and Gemm with as many inputs as the value has channels along its last axis. All have the same
// number.
std::vector<Layer> readers_of_copy(const Graph& graph, const Value& value);

}  // namespace intaglio
