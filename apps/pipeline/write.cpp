#include "apps/pipeline/write.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/io/check.h"
#include "lib/quant/draft_float16.h"
#include "lib/rewrite/float16.h"
#include "lib/rewrite/shared_constants.h"

namespace intaglio {
namespace {

void require_valid(const Model& source, const Model& result, const std::string& path) {
  const auto reason = invalid_reason(result);
  if (!reason) return;
  if (const auto given = invalid_reason(source))
    throw Error(Code::model, fmt::format("{}: not valid ONNX: {}", path, *given),
                "Export the model again.");
  throw Error(Code::internal, fmt::format("the result is not valid ONNX: {}", *reason),
              "Please report this with the model.");
}

}  // namespace

Quantized write_quantized(const Prepared& prepared, Model model, Plan plan, const FormOptions& form,
                          const Target& target, Context& context) {
  Quantized quantized;
  quantized.plan = std::move(plan);
  quantized.model = std::move(model);
  quantized.written = context.phase(
      "rewrite", [&] { return write_form(form, quantized.model, quantized.plan, target); });
  quantized.interface = write_interface(form, quantized.model);
  write_float16(quantized.model, quantized.plan);
  // Weights in groups are shared when they are stored, and too many to be read for this.
  if (std::ranges::none_of(quantized.plan.nodes, &NodePlan::has_groups))
    share_equal_constants(quantized.model.graph(), target.engine);
  if (form.traits().onnx)
    restore_half_interface(quantized.model.graph(), prepared.halves);
  else if (!prepared.halves.empty())
    quantized.plan.warnings.emplace_back(
        "inputs and outputs in half precision are float in the TFLite file");
  if (form.float16 && std::ranges::none_of(quantized.plan.nodes, computes_in_float16))
    quantized.plan.warnings.emplace_back("--float16: no node computes in float16");
  context.phase("verify",
                [&] { require_valid(prepared.model, quantized.model, prepared.source.path); });
  return quantized;
}

void write_metadata(Model& model, const Prepared& prepared, const QuantOptions& options,
                    const std::string& method, const std::optional<PreprocessRecipe>& recipe) {
  if (!prepared.producer.empty()) model.set_metadata("intaglio.source_producer", prepared.producer);
  model.set_producer("intaglio", INTAGLIO_VERSION);
  model.set_metadata("intaglio.source_sha256", prepared.source.sha256);
  model.set_metadata("intaglio.target", target_name(options));
  model.set_metadata("intaglio.format", options.form.name());
  model.set_metadata("intaglio.method", method);
  if (recipe) model.set_metadata(preprocess_key, recipe->to_json().dump());
}

namespace {

SavedFile save_tflite(Outputs& outputs, const Model& model, const std::string& path,
                      const std::string& format) {
  TfliteFile file = tflite_file(model);
  SavedFile saved{path, sha256(file.bytes), file.bytes.size(), format, {}, {}, {}};
  outputs.write(path, file.bytes);
  file.bytes.clear();
  saved.tflite = std::move(file);
  return saved;
}

}  // namespace

SavedFile save(Outputs& outputs, const Model& model, const std::string& path,
               const std::string& format, const SaveOptions& options) {
  if (format == word_of(OutputForm::tflite)) return save_tflite(outputs, model, path, format);
  ModelFiles files = write_model(model, path, options);
  SavedFile saved{path, "", 0, format, files.model->written_at(), {}, {}};
  if (files.data) saved.data_at = files.data->written_at();
  saved.sha256 = sha256_of_file(saved.model_at);
  saved.bytes = files.model->size() + (files.data ? files.data->size() : 0);
  if (files.data) outputs.take(std::move(files.data));
  outputs.take(std::move(files.model));
  return saved;
}

void require_file_name(const std::string& output, const FormOptions& form) {
  const std::string ending = std::filesystem::path(output).extension().string();
  const bool onnx = form.traits().onnx;
  if (onnx ? ending != ".tflite" : ending != ".onnx") return;
  throw Error(Code::usage,
              fmt::format("--output {}: the form '{}' is {} file", output, form.name(),
                          onnx ? "an ONNX" : "a TFLite"),
              onnx ? "Use --format tflite, or name it NAME.onnx." : "Name it NAME.tflite.");
}

void declare_data(Outputs& outputs, const Prepared& prepared, const std::string& path,
                  const SaveOptions& options) {
  if (prepared.source.bytes > options.external_above)
    outputs.declare("the external data of the output", data_file_of(path));
}

void warn_of_growth(const Prepared& prepared, const Model& result, const SavedFile& saved,
                    std::vector<std::string>& warnings) {
  const std::uint64_t before = prepared.source.bytes;
  if (saved.bytes <= before) return;
  warnings.push_back(
      fmt::format("{} is larger than {}, {} instead of {}: {}", saved.path, prepared.source.path,
                  human_bytes(saved.bytes), human_bytes(before),
                  growth(prepared.contents, before, contents_of(result.graph()), saved.bytes)));
}

}  // namespace intaglio
