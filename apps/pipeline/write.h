// From a plan with numbers to a verified model, and to a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/prepare.h"
#include "apps/pipeline/quant.h"
#include "lib/io/save.h"
#include "lib/tflite/write.h"

namespace intaglio {

struct Quantized {
  Plan plan;
  Model model;
  Written written;
  std::optional<Interface> interface;  // nullopt: inputs and outputs are as in the model given
};

// Rewrites `model`, the prepared one as it is or refined, in the form of the options, and verifies
// that it is valid ONNX. An invalid result is our fault (Code::internal), unless what was given was
// invalid in the first place (Code::model).
Quantized write_quantized(const Prepared& prepared, Model model, Plan plan, const FormOptions& form,
                          const Target& target, Context& context);

// What the file says of its making: keys "intaglio.*" of its metadata.
void write_metadata(Model& model, const Prepared& prepared, const QuantOptions& options,
                    const std::string& method, const std::optional<PreprocessRecipe>& recipe);

// A model file that was written, as a report names it.
struct SavedFile {
  std::string path, sha256;
  std::uint64_t bytes = 0;  // those of its external data too
  std::string format;
  std::filesystem::path model_at, data_at;  // of the bytes, until the outputs appear; empty: none
  std::optional<TfliteFile> tflite = {};    // what it holds, without the bytes; nullopt: ONNX
  std::vector<FixedShape> fixed = {};       // inputs whose shape the model given leaves open
};
// Throws Code::unsupported for what the format of the file lacks.
SavedFile save(Outputs& outputs, const Model& model, const std::string& path,
               const std::string& format, const SaveOptions& options = {});

// Throws Code::usage for a name whose ending says another format than the form has.
void require_file_name(const std::string& output, const FormOptions& form);

// What is going to be written beside path, declared before the run: external data where the weights
// may need it.
void declare_data(Outputs& outputs, const Prepared& prepared, const std::string& path,
                  const SaveOptions& options = {});

// Adds a warning with the cause where the result is larger than its source.
void warn_of_growth(const Prepared& prepared, const Model& result, const SavedFile& saved,
                    std::vector<std::string>& warnings);

}  // namespace intaglio
