#include "lib/eval/metric_def.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/eval/figures.h"

namespace intaglio {
namespace {

using Misses = std::vector<std::string>;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string top(const std::optional<Accuracy>& a, double Accuracy::*which) {
  return a ? percent((*a).*which) : "-";
}
std::string nothing(const Evaluation&) { return {}; }
std::string percent_sign(double v) { return percent(v) + " %"; }

// --- Gates ---

Misses top1_drop(const Evaluation& e, const GateLimit& limit) {
  if (!e.accuracy || !e.reference) return {};
  const double drop = e.reference->top1 - e.accuracy->top1;
  if (!(drop > limit.value)) return {};
  return {fmt::format("top-1 falls by {:.2f} points, {} allows {}", drop, limit.name, limit.value)};
}

Misses agreement(const Evaluation& e, const GateLimit& limit) {
  if (!e.agreement || !(*e.agreement < limit.value)) return {};
  return {fmt::format("{:.2f} % of the samples keep their top class, {} asks for {}", *e.agreement,
                      limit.name, limit.value)};
}

Misses agreement_drop(const Evaluation& e, const GateLimit& limit) {
  if (!e.agreement || !(100 - *e.agreement > limit.value)) return {};
  return {fmt::format("{:.2f} % of the samples change their top class, {} allows {}",
                      100 - *e.agreement, limit.name, limit.value)};
}

Misses boxes_f1(const Evaluation& e, const GateLimit& limit) {
  if (!e.boxes) return {};
  const auto f1 = e.boxes->f1();
  if (!f1)
    return {fmt::format("neither model finds a box, so that there is no F1 for {}", limit.name)};
  if (!(*f1 < limit.value)) return {};
  return {fmt::format("F1 of the boxes is {:.4f}, {} asks for {}", *f1, limit.name, limit.value)};
}

Misses character_error(const Evaluation& e, const GateLimit& limit) {
  if (!e.strings) return {};
  const auto error = e.strings->character_error();
  if (!error) return {fmt::format("FP32 reads no characters, so that there is no {}", limit.name)};
  if (!(*error > limit.value)) return {};
  return {fmt::format("{:.2f} % of the characters are wrong, {} allows {}", *error, limit.name,
                      limit.value)};
}

Misses equal_lines(const Evaluation& e, const GateLimit& limit) {
  const auto equal = e.strings ? e.strings->equal_lines() : std::nullopt;
  if (!equal || !(*equal < limit.value)) return {};
  return {fmt::format("{:.2f} % of the lines are equal, {} asks for {}", *equal, limit.name,
                      limit.value)};
}

// Of every output. An exact one passes; one without a figure counts as 0; values that are NaN or
// infinite in one model alone miss whatever is asked for.
Misses outputs(const OutputFigure& figure, const Evaluation& e, const GateLimit& limit) {
  Misses missed;
  for (const OutputDeviation& output : e.outputs) {
    if (const auto odd = output.deviation.one_sided; odd > 0) {
      missed.push_back(fmt::format(
          "output '{}' has {} values that are NaN or infinite in one of the models alone, for {}",
          output.name, odd, limit.name));
      continue;
    }
    const double value = output.deviation.exact() ? limit.value : figure.of(output).value_or(0);
    if (figure.small ? value <= limit.value : value >= limit.value) continue;
    missed.push_back(fmt::format("output '{}' has {:.4g} {}, {} {} {}", output.name, value,
                                 figure.of_what, limit.name, figure.small ? "allows" : "asks for",
                                 limit.value));
  }
  return missed;
}

// --- Sentences ---

std::string boxes_sentence(const Evaluation& e) {
  if (!e.boxes) return {};
  return fmt::format("boxes ({}): F1 {}, {} of {} found again among {}", e.plan.decoder.def->name,
                     f1_text(*e.boxes), e.boxes->matched, e.boxes->expected, e.boxes->found);
}

std::string strings_sentence(const Evaluation& e) {
  if (!e.strings) return {};
  return fmt::format("strings: {} of {} lines equal, {} errors in {} characters ({} %)",
                     e.strings->equal, e.strings->lines, e.strings->errors, e.strings->characters,
                     character_error_text(*e.strings));
}

const std::vector<MetricDef> rows = {
    {.metric = Metric::topk,
     .name = "topk",
     .labels = true,
     .gates = {{.name = "max-top1-drop",
                .unit = "POINTS",
                .help = "top-1 falls by more",
                .missed = top1_drop}},
     .objective = "top1",
     .superlative = "largest",
     .merit = [](const Evaluation& e) { return e.accuracy ? e.accuracy->top1 : 0; },
     .merit_text = percent_sign,
     .columns = {{"top-1 %", [](const Evaluation& e) { return top(e.reference, &Accuracy::top1); },
                  [](const Evaluation& e) { return top(e.accuracy, &Accuracy::top1); }},
                 {"top-5 %", [](const Evaluation& e) { return top(e.reference, &Accuracy::top5); },
                  [](const Evaluation& e) { return top(e.accuracy, &Accuracy::top5); }}}},
    {.metric = Metric::agreement,
     .name = "agreement",
     .suits = {.scores = true},
     .gates = {{.name = "min-agreement",
                .unit = "PERCENT",
                .help = "fewer samples keep their top class",
                .most = 100,
                .missed = agreement},
               {.name = "max-agreement-drop",
                .unit = "POINTS",
                .help = "more samples, in percent, change their top class",
                .most = 100,
                .missed = agreement_drop}},
     .superlative = "largest",
     .merit = [](const Evaluation& e) { return e.agreement.value_or(0); },
     .merit_text = percent_sign,
     .columns = {{"agreement %", [](const Evaluation&) { return std::string("100.00"); },
                  [](const Evaluation& e) { return e.agreement ? percent(*e.agreement) : "-"; }}}},
    {.metric = Metric::sqnr,
     .name = "sqnr",
     .suits = {.scores = true, .images = true, .others = true},
     .output = {.of = [](const OutputDeviation& o) { return o.deviation.sqnr_db(); },
                .label = "SQNR",
                .unit = "dB",
                .of_what = "dB",
                .key = "sqnr_db"},
     .gates = {{.name = "min-sqnr", .unit = "DB", .help = "an output has a lower SQNR"}}},
    {.metric = Metric::cosine,
     .name = "cosine",
     .suits = {.scores = true, .images = true, .others = true},
     .output = {.of = [](const OutputDeviation& o) { return o.deviation.cosine(); },
                .label = "cosine",
                .of_what = "of cosine",
                .undefined = "undefined",
                .key = "cosine",
                .decimals = 6,
                .exact = 1},
     .gates = {{.name = "min-cosine",
                .unit = "0..1",
                .help = "an output has a lower cosine",
                .most = 1}}},
    {.metric = Metric::psnr,
     .name = "psnr",
     .suits = {.images = true},
     .output = {.of = [](const OutputDeviation& o) { return psnr_db(o.deviation, o.reference); },
                .label = "PSNR",
                .unit = "dB",
                .of_what = "dB of PSNR",
                .key = "psnr_db"},
     .gates = {{.name = "min-psnr", .unit = "DB", .help = "an output has a lower PSNR"}}},
    {.metric = Metric::boxes,
     .name = "boxes",
     .suits = {.boxes = true},
     .gates = {{.name = "min-boxes-f1",
                .unit = "0..1",
                .help = "the boxes have a lower F1",
                .most = 1,
                .missed = boxes_f1}},
     .superlative = "largest F1 of",
     .merit = [](const Evaluation& e) { return e.boxes ? e.boxes->f1().value_or(0) : 0; },
     .merit_text = [](double v) { return fmt::format("{:.4f}", v); },
     .columns = {{"boxes F1", nothing,
                  [](const Evaluation& e) { return e.boxes ? f1_text(*e.boxes) : "-"; }}},
     .sentence = boxes_sentence},
    {.metric = Metric::ctc,
     .name = "ctc",
     .gates = {{.name = "max-character-error",
                .unit = "PERCENT",
                .help = "more characters of the strings are wrong",
                .missed = character_error},
               {.name = "min-equal-lines",
                .unit = "PERCENT",
                .help = "fewer lines give the same string",
                .most = 100,
                .missed = equal_lines}},
     .superlative = "smallest character error of",
     .merit =
         [](const Evaluation& e) {
           return e.strings ? -e.strings->character_error().value_or(0) : -infinity;
         },
     .merit_text = [](double v) { return percent_sign(-v); },
     .columns = {{"character error %", nothing,
                  [](const Evaluation& e) {
                    return e.strings ? character_error_text(*e.strings) : "-";
                  }}},
     .sentence = strings_sentence},
};

// Of an output's figure, or of the worst one.
std::string number(const OutputFigure& figure, double value) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, figure.decimals) : "exact";
}

}  // namespace

std::span<const MetricDef> all_metrics() { return rows; }

const MetricDef& def_of(Metric metric) { return rows[static_cast<std::size_t>(metric)]; }

std::string OutputFigure::head() const {
  return unit.empty() ? std::string(label) : fmt::format("{} {}", label, unit);
}

std::string OutputFigure::text(const std::optional<double>& figure) const {
  if (!figure) return std::string(undefined);
  const std::string value = fmt::format("{:.{}f}", *figure, decimals);
  return unit.empty() ? value : fmt::format("{} {}", value, unit);
}

double merit_of(const MetricDef& def, const Evaluation& e) {
  if (!def.of_outputs()) return def.merit(e);
  const double sign = def.output.small ? -1 : 1;
  double worst = sign * def.output.exact;
  for (const OutputDeviation& output : e.outputs)
    if (const auto figure = def.output.of(output)) worst = std::min(worst, sign * *figure);
  return worst;
}

std::string merit_text(const MetricDef& def, double merit) {
  if (!def.of_outputs()) return def.merit_text(merit);
  const std::string value = number(def.output, def.output.small ? -merit : merit);
  return def.output.unit.empty() ? value : fmt::format("{} {}", value, def.output.unit);
}

std::string superlative_of(const MetricDef& def) {
  if (!def.of_outputs()) return std::string(def.superlative);
  return def.output.small ? "smallest" : "largest";
}

std::vector<MetricColumn> columns_of(const MetricDef& def) {
  if (!def.of_outputs()) return def.columns;
  return {{def.output.head(), nothing, [&def](const Evaluation& e) {
             const double merit = merit_of(def, e);
             return number(def.output, def.output.small ? -merit : merit);
           }}};
}

std::vector<std::string> MetricGate::missed(const Evaluation& e, const GateLimit& limit) const {
  return gate->missed != nullptr ? gate->missed(e, limit) : outputs(metric->output, e, limit);
}

std::vector<MetricGate> all_gates() {
  std::vector<MetricGate> gates;
  for (const bool of_outputs : {true, false})
    for (const MetricDef& def : rows)
      for (const GateDef& gate : def.gates)
        if (def.of_outputs() == of_outputs) gates.push_back({&def, &gate});
  return gates;
}

}  // namespace intaglio
