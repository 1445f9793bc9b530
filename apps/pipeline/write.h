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

// Throws Code::internal for a result that is not valid ONNX; Code::model where the model given is not
// either.
void require_valid_result(const Prepared& prepared, const Model& result);

// An int8 network of ncnn that was written.
struct NcnnSummary {
  std::string bin, bin_sha256;  // its weights
  struct Layer {
    std::string name, type,
        node;  // node: its name, or its first output; empty: none has these weights
    bool integer = false;
    std::string reason;  // why not
  };
  std::vector<Layer> layers;         // those with weights
  std::vector<std::string> missing;  // quantized nodes that no layer holds
  std::vector<std::string> without;  // steps of refinement that would have added nodes
  bool on_grid = false;              // the network came from the float model of the result
};

// A model file that was written, as a report names it.
struct SavedFile {
  std::string path, sha256;
  std::uint64_t bytes = 0;  // those of its external data too
  std::string format;
  std::filesystem::path model_at, data_at;  // of the bytes, until the outputs appear; empty: none
  std::optional<TfliteFile> tflite = {};    // what it holds, without the bytes
  std::optional<NcnnSummary> ncnn = {};     // both nullopt: ONNX
  std::vector<FixedShape> fixed = {};       // inputs whose shape the model given leaves open

  bool onnx() const { return !tflite && !ncnn; }
};
// Throws Code::unsupported for what the format of the file lacks.
// format: that of the file, a form or "float".
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
