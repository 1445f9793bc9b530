// quantize, from a file to a file: the stages in order. Each takes what the ones before it made and
// cannot reach back.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/data.h"
#include "apps/pipeline/evaluate.h"
#include "apps/pipeline/gates.h"
#include "apps/pipeline/hand_over.h"
#include "apps/pipeline/keep.h"
#include "apps/pipeline/metrics.h"
#include "apps/pipeline/quant.h"
#include "apps/pipeline/refine.h"
#include "apps/pipeline/search.h"
#include "apps/pipeline/session.h"
#include "apps/pipeline/split.h"
#include "apps/pipeline/write.h"
#include "lib/base/words.h"
#include "lib/check/check.h"

namespace intaglio {

// Where the weights of the result are written: beside the model when they do not fit into it, and
// weights in groups when they were beside it before; or always.
enum class ExternalData { automatic, always };
constexpr std::array<Word<ExternalData>, 2> words(ExternalData) {
  return {{{"auto", ExternalData::automatic}, {"always", ExternalData::always}}};
}

struct QuantizeSpec {
  std::string model, output, plan,
      calibration;  // files; output empty: NAME.int8 and what the form's files end in
  DataOptions data;
  std::vector<std::string> eval_data;
  std::optional<std::size_t> eval_limit;  // samples to compare on; 0: none
  QuantOptions quant;
  std::string method = "mse";
  Arithmetic exact = Arithmetic::integer;  // how the result is evaluated
  bool strip = false;                      // leave the notes of exporters out
  ExternalData external = ExternalData::automatic;
  bool histograms = false;  // measured even where the method needs none
  bool pictures = false;    // of the samples that lost most
  RefineOptions refine;
  KeepOptions keep;
  HandOverOptions hand_over;
  MetricOptions metric;
  Gates gates;

  // Whether ranges come from statistics: not from a plan, and the form has some.
  bool calibrates() const { return plan.empty() && quant.form.calibrated(); }
  // Whether samples shape the result at all: ranges, or how much each weight of a group counts.
  bool learns() const {
    return calibrates() || (has_groups(quant) && refine.effort != Effort::fast);
  }
  // Whether there are samples to compare the result on.
  bool compares() const { return eval_limit != 0 && !(data.data.empty() && eval_data.empty()); }
  // Whether it is to be known how good the result is, rather than to get an impression.
  bool judges() const { return eval_limit != 0 && (gates.any() || !data.labels.empty()); }
};

struct QuantizeResult {
  Session session;  // the plan has gone on to kept.best
  Method method;
  Observed observed;
  Kept kept;                               // the model that was written, and how it was found
  std::optional<PreprocessRecipe> recipe;  // of images; nullopt: none were looked at
  std::optional<Measured> measured;
  EvalSource evaluation_source;  // of its samples
  SavedFile output;
  HandedOver handed_over;
  CheckResult check;  // of the file against the target, as `check` would say
  std::vector<std::string> warnings, hints;
};

std::string output_path(const QuantizeSpec& spec);

// What gives ranges their numbers: the calibration method, "plan", or "none".
std::string method_name(const QuantizeSpec& spec, const Method& method);

// Throws Code::usage for options that contradict each other, before anything is read.
void require_consistent(const QuantizeSpec& spec);

// What would be quantized, and what not, with reasons; writes nothing.
Plan draft_only(const QuantizeSpec& spec, Context& context);

// Writes the model, and what is handed over beside it; they appear with the outputs of the context. Gates are not judged here: their outputs are to be written first.
QuantizeResult quantize(const QuantizeSpec& spec, Context& context);

}  // namespace intaglio
