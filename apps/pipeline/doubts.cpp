#include "apps/pipeline/doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "lib/eval/positions.h"

namespace intaglio {
namespace {

using Warnings = std::vector<std::string>;

constexpr std::size_t few_samples = 8;  // are alike by chance
constexpr double least_characters = 3;  // of a line
constexpr const char* suspicion =
    ": are its inputs prepared as it wants them? 'intaglio preview' shows them";

bool has_reference(const Evaluation& e) {
  return e.reference || e.agreement || e.boxes || e.strings || !e.outputs.empty();
}

// Of the float model; where there is none, of the only one.
const Answer& float_answer(const Evaluation& e, const SampleAnswer& a) {
  return has_reference(e) ? a.reference : a.model;
}
const char* float_model(const Evaluation& e) {
  return has_reference(e) ? "the float model" : "the model";
}

void doubt_boxes(const Evaluation& e, Warnings& warnings) {
  if (!e.plan.reads_boxes()) return;
  for (const SampleAnswer& a : e.answers)
    for (const Detections& image : float_answer(e, a).detections)
      if (!image.empty()) return;
  warnings.push_back(fmt::format("{} finds no box with a score of {} or more in {} samples{}",
                                 float_model(e), e.plan.detect.score, e.answers.size(), suspicion));
}

void doubt_strings(const Evaluation& e, Warnings& warnings) {
  if (!e.plan.reads_strings()) return;
  std::size_t lines = 0, characters = 0;
  for (const SampleAnswer& a : e.answers)
    for (const Symbols& line : float_answer(e, a).strings) ++lines, characters += line.size();
  if (static_cast<double>(characters) >= least_characters * static_cast<double>(lines)) return;
  warnings.push_back(fmt::format("{} reads {} characters in {} lines{}", float_model(e), characters,
                                 lines, suspicion));
}

void doubt_classes(const Evaluation& e, Warnings& warnings) {
  std::set<std::size_t> seen;
  std::set<std::int64_t> labels;
  std::size_t classified = 0, flat = 0;
  for (const SampleAnswer& a : e.answers) {
    const Answer& answer = float_answer(e, a);
    if (answer.classes.empty()) continue;
    ++classified, flat += answer.flat;
    seen.insert(answer.classes.front().front());
    if (a.label) labels.insert(*a.label);
  }
  if (classified < few_samples || e.plan.task != Task::unknown) return;
  if (flat == classified)
    warnings.push_back(
        fmt::format("{} prefers no class: its best one has less than twice an even "
                    "share in all {} samples{}",
                    float_model(e), classified, suspicion));
  else if (seen.size() == 1 && labels.size() != 1)
    warnings.push_back(fmt::format("{} answers class {} for all {} samples{}", float_model(e),
                                   *seen.begin(), classified, suspicion));
}

// Not more right answers than guessing gives, up to one standard deviation.
void doubt_labels(const Evaluation& e, Warnings& warnings) {
  const auto& accuracy = e.reference ? e.reference : e.accuracy;
  if (!accuracy || e.plan.signature.outputs.empty()) return;
  const Shape& shape = e.plan.signature.outputs.front().shape;
  const auto labelled =
      std::ranges::count_if(e.answers, [](const SampleAnswer& a) { return a.label.has_value(); });
  const auto count = static_cast<double>(labelled);
  const auto classes = shape.empty() ? 0 : static_cast<double>(shape[class_axis(shape)]);
  if (classes < 2 || count < few_samples) return;
  const double chance = 1 / classes;
  const double most = count * chance + std::sqrt(count * chance * (1 - chance));
  if (accuracy->top1.percent() / 100 * count > most) return;
  warnings.push_back(
      fmt::format("{} is right on {:.1f} % of the labels, as guessing among {} "
                  "classes would be: are the labels its classes, and its inputs "
                  "prepared as it wants them?",
                  float_model(e), accuracy->top1.percent(), classes));
}

}  // namespace

std::vector<std::string> evaluation_warnings(const Evaluation& e) {
  std::vector<std::string> warnings;
  for (const OutputDeviation& output : e.outputs)
    if (const auto odd = output.deviation.one_sided; odd > 0)
      warnings.push_back(
          fmt::format("output '{}': {} of {} values are NaN or infinite in one of the models alone",
                      output.name, odd, output.deviation.count + output.deviation.left_out));
  if (e.answers.empty()) return warnings;
  doubt_boxes(e, warnings);
  doubt_strings(e, warnings);
  doubt_classes(e, warnings);
  doubt_labels(e, warnings);
  return warnings;
}

}  // namespace intaglio
