#include "lib/eval/metric_def.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/eval/figures.h"

namespace intaglio {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string top(const std::optional<Accuracy>& a, Share Accuracy::*which) {
  return a ? text((*a).*which) : "-";
}
std::string nothing(const Evaluation&) { return {}; }
std::string percent_sign(double v) { return percent(v) + " %"; }

// Infinite where nothing was measured: worse than whatever was.
double of_tokens(const Evaluation& e, std::optional<double> (TokenErrors::*figure)() const) {
  return (e.tokens ? (*e.tokens.*figure)() : std::nullopt).value_or(infinity);
}

std::function<std::string(const Evaluation&)> perplexity_text(
    std::optional<double> (TokenErrors::*which)() const) {
  return [which](const Evaluation& e) {
    return e.tokens ? figure_text((*e.tokens.*which)(), 2) : "-";
  };
}

// --- Gates ---

GateOutcome top1_drop(const Evaluation& e, const GateLimit& limit) {
  if (!e.accuracy || !e.reference)
    return {.missed = fmt::format("no sample has a label, so that there is no {}", limit.name)};
  GateOutcome outcome{.measured = e.reference->top1.percent() - e.accuracy->top1.percent()};
  if (*outcome.measured > limit.value)
    outcome.missed = fmt::format("top-1 falls by {:.2f} points, {} allows {}", *outcome.measured,
                                 limit.name, limit.value);
  return outcome;
}

GateOutcome of_share(const Share& share) {
  return {.measured = share.percent(), .interval = share.interval()};
}

GateOutcome top1(const Evaluation& e, const GateLimit& limit) {
  if (!e.accuracy || e.accuracy->top1.whole == 0)
    return {.missed = fmt::format("no sample has a label, so that there is no {}", limit.name)};
  GateOutcome outcome = of_share(e.accuracy->top1);
  if (*outcome.measured < limit.value)
    outcome.missed = fmt::format("top-1 is {:.2f} %, {} asks for {}", *outcome.measured, limit.name,
                                 limit.value);
  return outcome;
}

// What agreement counts: samples, or where each has several positions, those.
std::string positions_of(const Evaluation& e) {
  return e.agreement->whole == e.samples ? "samples"
                                         : fmt::format("{} positions", e.agreement->whole);
}

GateOutcome agreement(const Evaluation& e, const GateLimit& limit) {
  if (!e.agreement) return {.missed = fmt::format("no classes were compared for {}", limit.name)};
  GateOutcome outcome = of_share(*e.agreement);
  if (*outcome.measured < limit.value)
    outcome.missed = fmt::format("{:.2f} % of the {} keep their top class, {} asks for {}",
                                 *outcome.measured, positions_of(e), limit.name, limit.value);
  return outcome;
}

GateOutcome agreement_drop(const Evaluation& e, const GateLimit& limit) {
  if (!e.agreement) return {.missed = fmt::format("no classes were compared for {}", limit.name)};
  GateOutcome outcome = of_share(e.agreement->rest());
  if (*outcome.measured > limit.value)
    outcome.missed = fmt::format("{:.2f} % of the {} change their top class, {} allows {}",
                                 *outcome.measured, positions_of(e), limit.name, limit.value);
  return outcome;
}

GateOutcome boxes_f1(const Evaluation& e, const GateLimit& limit) {
  const auto f1 = e.boxes ? e.boxes->f1() : std::nullopt;
  if (!f1)
    return {.missed = fmt::format("neither model finds a box, so that there is no F1 for {}",
                                  limit.name)};
  GateOutcome outcome{.measured = *f1};
  if (*f1 < limit.value)
    outcome.missed =
        fmt::format("F1 of the boxes is {:.4f}, {} asks for {}", *f1, limit.name, limit.value);
  return outcome;
}

GateOutcome character_error(const Evaluation& e, const GateLimit& limit) {
  const auto error = e.strings ? e.strings->character_error() : std::nullopt;
  if (!error)
    return {.missed = fmt::format("FP32 reads no characters, so that there is no {}", limit.name)};
  GateOutcome outcome{.measured = *error};
  if (*error > limit.value)
    outcome.missed = fmt::format("{:.2f} % of the characters are wrong, {} allows {}", *error,
                                 limit.name, limit.value);
  return outcome;
}

GateOutcome equal_lines(const Evaluation& e, const GateLimit& limit) {
  const auto equal = e.strings ? e.strings->equal_lines() : std::nullopt;
  if (!equal) return {.missed = fmt::format("no line was read for {}", limit.name)};
  GateOutcome outcome = of_share(*equal);
  if (*outcome.measured < limit.value)
    outcome.missed = fmt::format("{:.2f} % of the lines are equal, {} asks for {}",
                                 *outcome.measured, limit.name, limit.value);
  return outcome;
}

GateOutcome largest_kl(const Evaluation& e, const GateLimit& limit) {
  const auto kl = e.tokens ? e.tokens->mean_kl() : std::nullopt;
  if (!kl) return {.missed = fmt::format("no tokens were compared for {}", limit.name)};
  GateOutcome outcome{.measured = *kl};
  if (!(*kl <= limit.value))
    outcome.missed = fmt::format("KL is {:.4g} nats, {} allows {}", *kl, limit.name, limit.value);
  return outcome;
}

GateOutcome perplexity_rise(const Evaluation& e, const GateLimit& limit) {
  const auto rise = e.tokens ? e.tokens->perplexity_rise() : std::nullopt;
  if (!rise)
    return {.missed =
                fmt::format("no token follows another one, so that there is no {}", limit.name)};
  GateOutcome outcome{.measured = *rise};
  if (!(*rise <= limit.value))
    outcome.missed = fmt::format(
        "perplexity rises by {:.2f} %, from {:.2f} to {:.2f}, {} allows {}", *rise,
        *e.tokens->reference_perplexity(), *e.tokens->perplexity(), limit.name, limit.value);
  return outcome;
}

GateOutcome same_token(const Evaluation& e, const GateLimit& limit) {
  const auto same = e.tokens ? e.tokens->same_tokens() : std::nullopt;
  if (!same) return {.missed = fmt::format("no tokens were compared for {}", limit.name)};
  GateOutcome outcome = of_share(*same);
  if (*outcome.measured < limit.value)
    outcome.missed =
        fmt::format("{:.2f} % of {} positions keep their most likely token, {} asks for {}",
                    *outcome.measured, same->whole, limit.name, limit.value);
  return outcome;
}

// An exact output holds, whatever is asked for; one without a figure counts as 0; values that are
// NaN or infinite in one model alone miss.
GateOutcome judge_output(const OutputFigure& figure, const OutputDeviation& output,
                         const GateLimit& limit) {
  GateOutcome outcome{.of = output.name, .measured = figure.of(output)};
  if (const auto odd = output.deviation.one_sided; odd > 0) {
    outcome.missed = fmt::format(
        "output '{}' has {} values that are NaN or infinite in one of the models alone, "
        "for {}",
        output.name, odd, limit.name);
    return outcome;
  }
  const double value = output.deviation.exact() ? limit.value : outcome.measured.value_or(0);
  if (figure.small ? value <= limit.value : value >= limit.value) return outcome;
  outcome.missed =
      fmt::format("output '{}' has {:.4g} {}, {} {} {}", output.name, value, figure.of_what,
                  limit.name, figure.small ? "allows" : "asks for", limit.value);
  return outcome;
}

// --- Scores ---

double is_right(const SampleAnswer& a) {
  return a.label && !a.model.classes.empty() &&
         static_cast<std::int64_t>(a.model.classes.front().front()) == *a.label;
}

double agreeing(const SampleAnswer& a) {
  return a.positions == 0 ? 1 : static_cast<double>(a.same) / static_cast<double>(a.positions);
}

double keeping(const SampleAnswer& a) {
  const auto same = a.tokens.same_tokens();
  return same ? same->percent() : 100;
}

// Of the output that fares worst. What has no noise, or no figure, is as good as can be.
double score_of_outputs(const OutputFigure& figure, const SampleAnswer& a, const Evaluation& e) {
  constexpr double most = 300;  // dB: beyond what floats can tell
  double worst = most;
  for (std::size_t o = 0; o < std::min(a.outputs.size(), e.outputs.size()); ++o) {
    const auto value = figure.of({"", a.outputs[o], e.outputs[o].reference});
    worst =
        std::min(worst, value ? (figure.small ? -*value : *value) : std::min(most, figure.exact));
  }
  return worst;
}

// --- Sentences ---

std::string boxes_sentence(const Evaluation& e) {
  if (!e.boxes) return {};
  return fmt::format("boxes ({}): F1 {}, {} of {} found again among {}", e.plan.decoder.def->name,
                     f1_text(*e.boxes), e.boxes->matched, e.boxes->expected, e.boxes->found);
}

std::string strings_sentence(const Evaluation& e) {
  if (!e.strings) return {};
  const auto equal = e.strings->equal_lines();
  const std::size_t unread = e.strings->unread;
  return fmt::format(
      "strings: {} of {} lines equal{}, {} errors in {} characters ({} %){}", e.strings->equal,
      e.strings->lines - unread, equal ? fmt::format(", {} %", text(*equal)) : "",
      e.strings->errors, e.strings->characters, character_error_text(*e.strings),
      unread > 0 ? fmt::format("; {} more of which neither reads anything", unread) : "");
}

std::string perplexity_sentence(const Evaluation& e) {
  if (!e.tokens || !e.tokens->perplexity()) return {};
  const auto before = e.tokens->reference_perplexity();
  return fmt::format("perplexity {}{} of {} tokens", figure_text(e.tokens->perplexity(), 2),
                     before ? fmt::format(", float {} ({:+.2f} %),", figure_text(before, 2),
                                          *e.tokens->perplexity_rise())
                            : "",
                     e.tokens->predicted);
}

std::string kl_sentence(const Evaluation& e) {
  if (!e.tokens || !e.tokens->mean_kl()) return {};
  const std::size_t odd = e.tokens->left_out;
  return fmt::format(
      "KL {} nats from the float model, mean of {} positions{}",
      figure_text(e.tokens->mean_kl(), 5), e.tokens->positions,
      odd > 0 ? fmt::format("; {} are left out, where its scores are not finite", odd) : "");
}

std::string tokens_sentence(const Evaluation& e) {
  const auto same = e.tokens ? e.tokens->same_tokens() : std::nullopt;
  return same ? fmt::format("same most likely token on {} % of {} positions", text(*same),
                            same->whole)
              : "";
}

const std::vector<MetricDef> rows = {
    {.metric = Metric::topk,
     .name = "topk",
     .labels = true,
     .gates = {{.name = "min-top1",
                .unit = "PERCENT",
                .help = "top-1 is lower",
                .most = 100,
                .absolute = true,
                .judge = top1},
               {.name = "max-top1-drop",
                .unit = "POINTS",
                .help = "top-1 falls by more",
                .judge = top1_drop}},
     .objective = "top1",
     .superlative = "largest",
     .merit = [](const Evaluation& e) { return e.accuracy ? e.accuracy->top1.percent() : 0; },
     .merit_text = percent_sign,
     .score = is_right,
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
                .judge = agreement},
               {.name = "max-agreement-drop",
                .unit = "POINTS",
                .help = "more samples, in percent, change their top class",
                .most = 100,
                .judge = agreement_drop}},
     .superlative = "largest",
     .merit = [](const Evaluation& e) { return e.agreement ? e.agreement->percent() : 0; },
     .merit_text = percent_sign,
     .score = agreeing,
     .columns = {{"agreement %", [](const Evaluation&) { return std::string("100.00"); },
                  [](const Evaluation& e) { return e.agreement ? text(*e.agreement) : "-"; }}}},
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
                .judge = boxes_f1}},
     .superlative = "largest F1 of",
     .merit = [](const Evaluation& e) { return e.boxes ? e.boxes->f1().value_or(0) : 0; },
     .merit_text = [](double v) { return fmt::format("{:.4f}", v); },
     .score = [](const SampleAnswer& a) { return a.boxes.f1().value_or(1); },
     .columns = {{"boxes F1", nothing,
                  [](const Evaluation& e) { return e.boxes ? f1_text(*e.boxes) : "-"; }}},
     .sentence = boxes_sentence},
    {.metric = Metric::ctc,
     .name = "ctc",
     .gates = {{.name = "max-character-error",
                .unit = "PERCENT",
                .help = "more characters of the strings are wrong",
                .judge = character_error},
               {.name = "min-equal-lines",
                .unit = "PERCENT",
                .help = "fewer lines give the same string",
                .most = 100,
                .judge = equal_lines}},
     .superlative = "smallest character error of",
     .merit =
         [](const Evaluation& e) {
           return e.strings ? -e.strings->character_error().value_or(0) : -infinity;
         },
     .merit_text = [](double v) { return percent_sign(-v); },
     .score = [](const SampleAnswer& a) { return -static_cast<double>(a.strings.errors); },
     .columns = {{"character error %", nothing,
                  [](const Evaluation& e) {
                    return e.strings ? character_error_text(*e.strings) : "-";
                  }}},
     .sentence = strings_sentence},
    {.metric = Metric::perplexity,
     .name = "perplexity",
     .suits = {.tokens = true},
     .alone = true,
     .gates = {{.name = "max-perplexity-rise",
                .unit = "PERCENT",
                .help = "the perplexity rises by more",
                .judge = perplexity_rise}},
     .superlative = "smallest",
     .merit = [](const Evaluation& e) { return -of_tokens(e, &TokenErrors::perplexity); },
     .merit_text = [](double v) { return fmt::format("{:.2f}", -v); },
     .score = [](const SampleAnswer& a) { return -a.tokens.mean_nll().value_or(0); },
     .columns = {{"perplexity", perplexity_text(&TokenErrors::reference_perplexity),
                  perplexity_text(&TokenErrors::perplexity)}},
     .sentence = perplexity_sentence},
    {.metric = Metric::kl,
     .name = "kl",
     .suits = {.tokens = true},
     .gates = {{.name = "max-kl",
                .unit = "NATS",
                .help = "the KL divergence from the float model's tokens is larger",
                .judge = largest_kl}},
     .superlative = "smallest",
     .merit = [](const Evaluation& e) { return -of_tokens(e, &TokenErrors::mean_kl); },
     .merit_text = [](double v) { return fmt::format("{:.5f} nats", -v); },
     .score = [](const SampleAnswer& a) { return -a.tokens.mean_kl().value_or(0); },
     .columns = {{"KL nats", nothing,
                  [](const Evaluation& e) {
                    return e.tokens ? figure_text(e.tokens->mean_kl(), 5) : "-";
                  }}},
     .sentence = kl_sentence},
    {.metric = Metric::tokens,
     .name = "tokens",
     .suits = {.tokens = true},
     .gates = {{.name = "min-same-token",
                .unit = "PERCENT",
                .help = "fewer positions keep their most likely token",
                .most = 100,
                .judge = same_token}},
     .superlative = "largest share of equal",
     .merit =
         [](const Evaluation& e) {
           const auto same = e.tokens ? e.tokens->same_tokens() : std::nullopt;
           return same ? same->percent() : 0;
         },
     .merit_text = percent_sign,
     .score = keeping,
     .columns = {{"same token %", nothing,
                  [](const Evaluation& e) {
                    const auto same = e.tokens ? e.tokens->same_tokens() : std::nullopt;
                    return same ? text(*same) : "-";
                  }}},
     .sentence = tokens_sentence},
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

std::vector<double> scores_of(const MetricDef& def, const Evaluation& e) {
  std::vector<double> scores;
  for (const SampleAnswer& answer : e.answers)
    scores.push_back(def.of_outputs() ? score_of_outputs(def.output, answer, e)
                                      : def.score(answer));
  return scores;
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

std::vector<GateOutcome> MetricGate::judge(const Evaluation& e, const GateLimit& limit) const {
  if (gate->judge != nullptr) return {gate->judge(e, limit)};
  std::vector<GateOutcome> outcomes;
  for (const OutputDeviation& output : e.outputs)
    outcomes.push_back(judge_output(metric->output, output, limit));
  return outcomes;
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
