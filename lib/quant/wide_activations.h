// Raising: nodes whose activations have 16 bits where the rest of the network has 8.
//
// What a device computes with 8 bits it often computes with 16 as well, at a lower speed. Layers
// that lose too much stay on it that way, where leaving them float would send them elsewhere. A
// raised node reads and makes 16 bits alone. Values that only raised nodes touch have codes of 16
// bits, and ranges of their own. Every other value keeps its 8 bits, and a second pair of 16 stands
// between it and the raised nodes that make or read it: with a 256th of the scale, so that it holds
// every code of 8 bits exactly. Weights keep their type.
#pragma once

#include <map>
#include <string>

#include "lib/graph/graph.h"
#include "lib/quant/plan.h"
#include "lib/quant/target.h"

namespace intaglio {

bool is_wide(DType type);  // u16, s16

// Whether anything in the plan has 16 bits, which QuantizeLinear makes since opset 21.
bool needs_wide_codes(const Plan& plan);
inline constexpr std::int64_t wide_opset = 21;

// The type of 16 bits for one of 8: u16 for u8, s16 for s8; itself for others.
DType raised_type(DType type);

// The same real numbers in 256 times as many steps: scale / 256, zero point * 256, without any
// rounding. Of one scale; wide ones are returned as they are.
QParams raised_params(const QParams& params);

// Raises the nodes of a draft by first output, with the reason, and the activations that go with
// them. Nodes that are not quantized stay as they are; those that move values follow them.
void raise(Plan& plan, const Graph& graph, const Target& target,
           const std::map<std::string, std::string>& nodes);

// The scale of the pair through which the node reads an activation of the plan.
float scale_read(const NodePlan& node, const ActivationPlan& activation);

// The target with what raised nodes need. Throws Code::config when it does not take activations of
// 16 bits.
Target target_for_raising(Target target);

}  // namespace intaglio
