#include "apps/pipeline/keep.h"

#include <fmt/format.h>

#include <charconv>

namespace intaglio {

std::optional<std::size_t> KeepOptions::count() const {
  std::size_t count = 0;
  const char* const last = layers.data() + layers.size();
  const auto [end, error] = std::from_chars(layers.data(), last, count);
  return error == std::errc() && end == last ? std::optional(count) : std::nullopt;
}

void require_searchable(const KeepOptions& options, const Gates& gates, const FormOptions& form,
                        bool has_data, bool has_plan, bool has_eval_data) {
  if (!options.wanted()) {
    if (options.as == KeepAs::floats) return;
    throw Error(Code::usage, "--keep-as says what becomes of the layers of --keep-float",
                "Say --keep-float N or auto, too.");
  }
  const auto refuse = [](const std::string& what, const char* remedy) {
    throw Error(Code::usage, "--keep-float: " + what, remedy);
  };
  if (!options.automatic() && !options.count())
    refuse(fmt::format("'{}' is neither a count nor auto", options.layers),
           "Say --keep-float 3, or --keep-float auto.");
  if (has_plan) refuse("a plan says itself what stays float", "Leave one of both out.");
  if (!form.calibrated())
    refuse(fmt::format("--format {} has no layers to choose from", form.name()),
           "Use qdq or qoperator, or --exclude.");
  if (options.raises() && !(form.traits().pairs && form.traits().onnx))
    throw Error(Code::usage,
                fmt::format("--keep-as 16bit: operators of --format {} have 8 bits", form.name()),
                "Use --format qdq, or keep the layers float.");
  if (!has_data) refuse("layers are chosen by measuring", "Give --data PATH.");
  if (options.automatic() && !gates.any())
    refuse("auto needs something to reach",
           "Give --min-sqnr DB, or what suits the model: --max-agreement-drop POINTS of a "
           "classifier, --min-boxes-f1 0..1 of a detector, --max-character-error PERCENT of a text "
           "recognizer, --min-cosine 0..1 of an embedding.");
  if (options.automatic() && gates.need_labels() && has_eval_data)
    refuse("a gate on top-1 needs labels of the calibration data, not of --eval-data",
           "Search by --max-agreement-drop POINTS.");
}

}  // namespace intaglio
