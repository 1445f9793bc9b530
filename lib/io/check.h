// ONNX's own checker (onnx/checker.h) on a model of ours.
#pragma once

#include <string>

#include "lib/graph/model.h"

namespace intaglio {

// Throws Code::internal with the checker's message when the model is not valid ONNX: we wrote it wrong.
// Models too large for one protobuf message are checked without their weights.
void check_model(const Model& model);

}  // namespace intaglio
