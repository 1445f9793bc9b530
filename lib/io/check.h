// ONNX's own checker (onnx/checker.h) on a model of ours.
#pragma once

#include <optional>
#include <string>

#include "lib/graph/model.h"

namespace intaglio {

// Why the model is not valid ONNX, in the checker's words on one line; nullopt: it is. Weights are
// not looked at, so models of any size can be checked. Standard operators may go by the domain
// "ai.onnx", and graph outputs need no shape. A model of an opset that the library does not know is
// taken for valid: judged by the rules of an older one, what is new would be an error.
std::optional<std::string> invalid_reason(const Model& model);

}  // namespace intaglio
