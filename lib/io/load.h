// Reading ONNX files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>

#include "lib/graph/model.h"

namespace intaglio {

// Loads a .onnx file. Initializers with external data are mapped, not read, so models larger than
// memory and than protobuf's 2 GB can be loaded. External paths must stay inside the model's
// folder. Throws Code::io (cannot be read, external file missing or too short) and Code::model
// (empty, not protobuf, not ONNX, inconsistent); the message starts with the path. data_files
// receives the files of external data.
using DataFiles = std::set<std::filesystem::path>;
Model load_model(const std::filesystem::path& path, DataFiles* data_files = nullptr);

// A model that is not at its place yet: all its external data is in `data`, whatever the model
// calls that file. Throws as load_model().
Model load_unplaced(const std::filesystem::path& path, const std::filesystem::path& data);

// The bytes of a model and its external data. Throws Code::io.
std::uint64_t size_on_disk(const std::filesystem::path& model, const DataFiles& data_files);

// Loads a TensorProto file (.pb). Throws Code::data.
Tensor load_tensor(const std::filesystem::path& path);

}  // namespace intaglio
