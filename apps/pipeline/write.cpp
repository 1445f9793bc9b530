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

void require_valid_result(const Prepared& prepared, const Model& result) {
  const auto reason = invalid_reason(result);
  if (!reason) return;
  if (const auto given = invalid_reason(prepared.model))
    throw Error(Code::model, fmt::format("{}: not valid ONNX: {}", prepared.source.path, *given),
                "Export the model again.");
  throw Error(Code::internal, fmt::format("the result is not valid ONNX: {}", *reason),
              "Please report this with the model.");
}

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
  if (form.form != OutputForm::tflite)
    restore_half_interface(quantized.model.graph(), prepared.halves);
  else if (!prepared.halves.empty())
    quantized.plan.warnings.emplace_back(
        "inputs and outputs in half precision are float in the TFLite file");
  if (form.float16 && std::ranges::none_of(quantized.plan.nodes, computes_in_float16))
    quantized.plan.warnings.emplace_back("--float16: no node computes in float16");
  context.phase("verify", [&] { require_valid_result(prepared, quantized.model); });
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
  SavedFile saved{path, sha256(file.bytes), file.bytes.size(), format, {}, {}};
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
  SavedFile saved{path, "", 0, format, files.model->written_at(), {}};
  if (files.data) saved.data_at = files.data->written_at();
  saved.sha256 = sha256_of_file(saved.model_at);
  saved.bytes = files.model->size() + (files.data ? files.data->size() : 0);
  if (files.data) outputs.take(std::move(files.data));
  outputs.take(std::move(files.model));
  return saved;
}

namespace {

// A form whose files end so; null: there is none.
const FormTraits* form_of_ending(std::string_view ending) {
  const auto it = std::ranges::find(form_traits, ending, &FormTraits::ending);
  return it == form_traits.end() ? nullptr : &*it;
}

}  // namespace

void require_file_name(const std::string& output, const FormOptions& form) {
  const std::string ending = std::filesystem::path(output).extension().string();
  const FormTraits& traits = form.traits();
  const FormTraits* other = form_of_ending(ending);
  const bool fits = other != nullptr ? other->ending == traits.ending
                                     : traits.form != OutputForm::ncnn;  // it has two files
  if (output.empty() || fits) return;
  throw Error(
      Code::usage,
      fmt::format("--output {}: the form '{}' is {} file", output, form.name(), traits.called),
      other != nullptr && !other->onnx
          ? fmt::format("Use --format {}, or name it NAME{}.", word_of(other->form), traits.ending)
          : fmt::format("Name it NAME{}.", traits.ending));
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
