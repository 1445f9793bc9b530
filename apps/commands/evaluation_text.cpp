#include "apps/commands/evaluation_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/commands/terminal.h"
#include "apps/report/flags.h"
#include "lib/eval/figures.h"
#include "lib/eval/metric_def.h"

namespace intaglio {
namespace {

void print_classes(const std::string& reference, const std::string& model, const Evaluation& e) {
  const bool top = e.plan.has(Metric::topk), agreement = e.agreement.has_value();
  if (!top && !agreement) return;
  std::vector<std::vector<std::string>> rows = {{"model"}};
  const auto add = [&](const std::string& name, const std::optional<Accuracy>& a,
                       const std::string& same) {
    auto& row = rows.emplace_back(std::vector<std::string>{name});
    if (top) row.insert(row.end(), {a ? text(a->top1) : "-", a ? text(a->top5) : "-"});
    if (agreement) row.push_back(same);
  };
  if (top) rows.front().insert(rows.front().end(), {"top-1 %", "top-5 %"});
  if (agreement) rows.front().emplace_back("agreement %");
  if (e.reference) add(reference, e.reference, "100.00");
  add(model, e.accuracy, agreement ? text(*e.agreement) : "-");
  print_table(rows);
}

// What is said of values that are not finite; empty: all are.
std::string odd_text(const Deviation& d) {
  std::string text;
  if (d.left_out > 0)
    text += fmt::format("; {} of {} values are NaN or infinite in both and left out", d.left_out,
                        d.count + d.left_out);
  if (d.one_sided > 0)
    text += fmt::format("; {} are so in one model alone and count as noise", d.one_sided);
  return text;
}

// " (of each sample: mean 0.998201, least 0.997103)", where there are several.
std::string by_sample(const SampleCosines& cosines) {
  if (cosines.count < 2) return {};
  return fmt::format(" (of each sample: mean {:.6f}, least {:.6f})", *cosines.mean(),
                     *cosines.worst());
}

void print_outputs(const Evaluation& e) {
  for (const OutputDeviation& output : e.outputs) {
    std::vector<std::string> figures;
    for (const Metric metric : e.plan.metrics)
      if (const OutputFigure& figure = def_of(metric).output; figure.of != nullptr)
        figures.push_back(
            fmt::format("{} {}", figure.label, figure.text(figure.of(output))) +
            (metric == Metric::cosine && !e.agreement ? by_sample(output.cosines) : ""));
    if (figures.empty()) continue;
    print_out("output '{}': {}{}\n", output.name, fmt::join(figures, ", "),
              odd_text(output.deviation));
  }
}

// By which rule tokens are left out, where samples had padding.
void print_padding(const Evaluation& e) {
  if (e.padding == 0) return;
  print_out("{} of {} tokens are padding, where '{}' is 0, and left out of outputs [N,T,...]\n",
            e.padding, e.all_tokens, e.plan.mask_name);
}

void print_sentences(const Evaluation& e) {
  for (const Metric metric : e.plan.metrics) {
    const auto sentence = def_of(metric).sentence;
    if (const std::string text = sentence != nullptr ? sentence(e) : ""; !text.empty())
      print_out("{}\n", text);
  }
}

}  // namespace

void print_evaluation(const std::string& reference, const std::string& model, const Evaluation& e,
                      EvalSource source) {
  print_classes(reference, model, e);
  print_outputs(e);
  print_padding(e);
  print_sentences(e);
  std::vector<std::string_view> names;
  for (const Metric metric : e.plan.metrics) names.push_back(name_of(metric));
  print_out("{}, by {} ({})\n", with_flags(samples_text(e.samples, source)), fmt::join(names, ", "),
            with_flags(e.plan.reason));
  if (!e.plan.advice.empty()) print_out("{}\n", with_flags(e.plan.advice));
}

void print_gates(const std::vector<JudgedGate>& gates) {
  for (const JudgedGate& gate : gates)
    print_out("gate --{} {}: {}{}\n", gate.name, gate.asked,
              gate.holds() ? painted(stdout, Colour::green, "holds")
                           : painted(stdout, Colour::red, "missed"),
              figures_text(gate));
}

}  // namespace intaglio
