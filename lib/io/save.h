// Writing ONNX files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "lib/base/atomic_file.h"
#include "lib/base/spill_file.h"
#include "lib/io/load.h"

namespace intaglio {

struct SaveOptions {
  // Initializers go to data_file_of() the model when the weights take more bytes than
  // this. Protobuf cannot hold 2 GB; the default leaves room for the rest of the message.
  std::uint64_t external_above = std::uint64_t{1'900} << 20;
  bool strip = false;  // without the notes of exporters (strip.h)
  // The beginning of the data file, with tensors that are in it already; null: there is none. With
  // it, initializers go there whatever their size.
  std::shared_ptr<SpillFile> data = {};
};

// "<file name>.data" beside the model: where its external data goes, if it has any.
std::filesystem::path data_file_of(const std::filesystem::path& model);

// Writes the model to a temporary file and renames it to path, its external data (if any) likewise.
// The bytes written depend on the model alone. Returns the files of external data. Throws Code::io.
DataFiles save_model(const Model& model, const std::filesystem::path& path,
                     const SaveOptions& options = {});

// The same, complete but for commit(): to appear together with other files. Commit the data first.
struct ModelFiles {
  std::unique_ptr<AtomicFile> model, data;  // data: of large weights; null: there is none
};
ModelFiles write_model(const Model& model, const std::filesystem::path& path,
                       const SaveOptions& options = {});

// SHA-256 of all that the model says: equal for equal models, whatever file they came from.
std::string hash_of(const Model& model);

// The bytes that save_model() would write; the weights and the rest, roughly, when they go to two
// files.
std::uint64_t size_of(const Model& model);

}  // namespace intaglio
