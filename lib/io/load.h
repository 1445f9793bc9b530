// Reading ONNX files.
#pragma once

#include <filesystem>

#include "lib/graph/model.h"

namespace intaglio {

// Loads a .onnx file. Initializers with external data are mapped, not read, so models larger than
// memory and than protobuf's 2 GB can be loaded. External paths must stay inside the model's
// folder. Throws Code::io (cannot be read, external file missing or too short) and Code::model
// (empty, not protobuf, not ONNX, inconsistent); the message starts with the path.
Model load_model(const std::filesystem::path& path);

// The same, ready for an Executor: model-local functions are replaced by their nodes.
Model load_runnable(const std::filesystem::path& path);

// Loads a TensorProto file (.pb). Throws Code::data.
Tensor load_tensor(const std::filesystem::path& path);

}  // namespace intaglio
