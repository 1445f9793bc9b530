#include "apps/pipeline/gates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace intaglio {
namespace {

using Missed = std::vector<std::string>;

// Of every output. An exact one has no noise and passes; noise where there is no signal counts as
// 0; values that are NaN or infinite in one model alone miss whatever is asked for.
template <typename Figure>
void check_outputs(const Evaluation& e, const char* flag, const std::optional<double>& limit,
                   const char* unit, const Figure& figure, Missed& missed) {
  if (!limit) return;
  for (const OutputDeviation& output : e.outputs) {
    if (const auto odd = output.deviation.one_sided; odd > 0) {
      missed.push_back(
          fmt::format("output '{}' has {} values that are NaN or infinite in one of "
                      "the models alone, for {}",
                      output.name, odd, flag));
      continue;
    }
    const double value = output.deviation.exact() ? *limit : figure(output).value_or(0);
    if (!(value >= *limit))
      missed.push_back(fmt::format("output '{}' has {:.4g}{}, {} asks for {}", output.name, value,
                                   unit, flag, *limit));
  }
}

void check_boxes(const BoxMatches& boxes, double least, Missed& missed) {
  const auto f1 = boxes.f1();
  if (!f1)
    missed.push_back("neither model finds a box, so that there is no F1 for --min-boxes-f1");
  else if (*f1 < least)
    missed.push_back(
        fmt::format("F1 of the boxes is {:.4f}, --min-boxes-f1 asks for {}", *f1, least));
}

void check_strings(const Gates& gates, const StringErrors& strings, Missed& missed) {
  if (gates.max_character_error) {
    const auto error = strings.character_error();
    if (!error)
      missed.push_back("FP32 reads no characters, so that there is no --max-character-error");
    else if (*error > *gates.max_character_error)
      missed.push_back(
          fmt::format("{:.2f} % of the characters are wrong, --max-character-error allows {}",
                      *error, *gates.max_character_error));
  }
  const auto equal = strings.equal_lines();
  if (gates.min_equal_lines && equal && *equal < *gates.min_equal_lines)
    missed.push_back(fmt::format("{:.2f} % of the lines are equal, --min-equal-lines asks for {}",
                                 *equal, *gates.min_equal_lines));
}

}  // namespace

std::vector<Metric> Gates::metrics() const {
  std::vector<Metric> list;
  if (max_top1_drop) list.push_back(Metric::topk);
  if (min_agreement || max_agreement_drop) list.push_back(Metric::agreement);
  if (min_sqnr) list.push_back(Metric::sqnr);
  if (min_cosine) list.push_back(Metric::cosine);
  if (min_psnr) list.push_back(Metric::psnr);
  if (min_boxes_f1) list.push_back(Metric::boxes);
  if (max_character_error || min_equal_lines) list.push_back(Metric::ctc);
  return list;
}

void Gates::require_measurable(bool has_labels, bool has_reference) const {
  if (any() && !has_reference)
    throw Error(Code::usage, "a gate needs a float model to compare with",
                "Give --reference FP32.onnx.");
  if (max_top1_drop && !has_labels)
    throw Error(Code::usage, "--max-top1-drop needs labels", "Give --labels FILE.csv.");
}

std::vector<std::string> Gates::missed(const Evaluation& e) const {
  Missed missed;
  check_outputs(
      e, "--min-sqnr", min_sqnr, " dB",
      [](const OutputDeviation& o) { return o.deviation.sqnr_db(); }, missed);
  check_outputs(
      e, "--min-cosine", min_cosine, " of cosine",
      [](const OutputDeviation& o) { return o.deviation.cosine(); }, missed);
  check_outputs(
      e, "--min-psnr", min_psnr, " dB of PSNR", [](const OutputDeviation& o) { return o.psnr_db; },
      missed);
  if (max_top1_drop && e.accuracy && e.reference) {
    const double drop = e.reference->top1 - e.accuracy->top1;
    if (drop > *max_top1_drop)
      missed.push_back(fmt::format("top-1 falls by {:.2f} points, --max-top1-drop allows {}", drop,
                                   *max_top1_drop));
  }
  if (min_agreement && e.agreement && *e.agreement < *min_agreement)
    missed.push_back(
        fmt::format("{:.2f} % of the samples keep their top class, --min-agreement asks for {}",
                    *e.agreement, *min_agreement));
  if (max_agreement_drop && e.agreement && 100 - *e.agreement > *max_agreement_drop)
    missed.push_back(fmt::format(
        "{:.2f} % of the samples change their top class, --max-agreement-drop allows {}",
        100 - *e.agreement, *max_agreement_drop));
  if (min_boxes_f1 && e.boxes) check_boxes(*e.boxes, *min_boxes_f1, missed);
  if (e.strings) check_strings(*this, *e.strings, missed);
  return missed;
}

void Gates::check(const Evaluation& e) const {
  const Missed missed = this->missed(e);
  if (!missed.empty())
    throw Error(Code::accuracy, fmt::format("gate missed: {}", fmt::join(missed, "; ")),
                "The outputs were written. See the report for the values with the lowest SQNR.");
}

}  // namespace intaglio
