// Types and shapes that follow before the run from the graph inputs and the constants.
#pragma once

#include "lib/graph/model.h"

namespace intaglio {

// Fills in element types and shapes, nested graphs included, by the rules that stand beside the
// kernels (shape_rule.h); named axes keep their names as far as they reach. What cannot be told
// stays unknown, and never changes what the model said itself: only what it left open, and what an
// earlier call filled in. Small tensors that shapes are computed with are followed through Shape,
// Gather, Concat and the like, element by element. Never throws for a malformed model.
// ask_library: what has no kernel here is put to ONNX's own inference, node by node.
void infer_types(Model& model, bool ask_library = true);

// Throws Code::model for a model that is none, by validate.h and by the rules: where inputs do not
// fit each other or the attributes, and where results have another type than the model says. Calls
// of functions are looked through. Code::unsupported for versions that are not known.
void require_valid(const Model& model);

// Throws Code::model, with the node, where feeds of these shapes do not fit each other or the
// graph, as far as the rules can tell: a mask that is shorter than what it masks, a sequence longer
// than the table of positions. Shapes that the graph notes of values inside and of outputs do not
// count. May be called from many threads at once.
void require_taken(const Graph& graph, const std::vector<Shape>& feeds);

}  // namespace intaglio
