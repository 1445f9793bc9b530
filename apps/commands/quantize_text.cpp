#include "apps/commands/quantize_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/commands/evaluation_text.h"
#include "apps/commands/print.h"
#include "apps/commands/table.h"
#include "apps/pipeline/pixels.h"
#include "apps/pipeline/shapes.h"
#include "apps/report/flags.h"
#include "lib/base/memory.h"
#include "lib/check/summary.h"
#include "lib/eval/figures.h"
#include "lib/quant/draft_float16.h"

namespace intaglio {
namespace {

std::string kept_as(const KeepSummary& kept) {
  return kept.asked.as == KeepAs::floats ? "kept float" : "with 16 bits";
}

bool tells_the_same(const KeepTrial& a, const KeepTrial& b) {
  return a.layers.size() == b.layers.size() && a.reached == b.reached &&
         a.missed.empty() == b.missed.empty();
}

// What each try cost and reached; of those that follow each other alike the first, and of those
// with a layer less the ones that got by without it.
void print_trials(const KeepSummary& kept) {
  const bool by_size = kept.asked.objective == KeepCost::size;
  std::vector<std::vector<std::string>> rows = {{kept_as(kept), "MACs %"}};
  if (by_size) rows[0].emplace_back("weights %");
  for (const Reached& figure : kept.trials.front().reached) rows[0].push_back(figure.head);
  rows[0].emplace_back("");
  const KeepTrial* told = nullptr;
  for (const KeepTrial& t : kept.trials) {
    if (told != nullptr && tells_the_same(t, *told)) continue;
    if (t.spared && !t.missed.empty()) continue;
    told = &t;
    auto& row = rows.emplace_back(
        std::vector<std::string>{std::to_string(t.layers.size()), percent(t.macs)});
    if (by_size) row.push_back(percent(t.cost));
    for (const Reached& figure : t.reached) row.push_back(figure.text);
    row.emplace_back(t.missed.empty() ? "holds" : "missed");
  }
  print_table(rows);
  if (const std::size_t more = kept.trials.size() + 1 - rows.size(); more > 0)
    print_out("{} more tries gave nothing better\n", more);
}

void print_kept(const KeepSummary& kept) {
  if (!kept.trials.empty()) print_trials(kept);
  constexpr std::size_t named = 10;
  std::vector<std::string> names;
  for (const KeptLayer& l : kept.layers) names.push_back(l.name.empty() ? l.output : l.name);
  const std::size_t count = names.size();
  if (count > named) names.resize(named);
  print_out("\n{} layers {}, {} % of MACs{}{}{}\n\n", count, kept_as(kept), percent(kept.macs),
            count == 0 ? "" : ": ", fmt::join(names, ", "),
            count > named ? fmt::format(" and {} more (--report)", count - named) : "");
}

// Which effort was taken; nothing where it could not be told.
void print_effort(const EffortComparison& compared) {
  if (compared.held_out == 0) return;
  print_out("effort {} was taken: on {} samples that neither saw best has {}, balanced {}\n",
            word_of(compared.best ? Effort::best : Effort::balanced), compared.held_out,
            decibels(compared.best_db), decibels(compared.balanced_db));
}

// How weights in groups were chosen, and what it cost them.
void print_groups(const GroupSummary& groups, const Scheme& weights) {
  print_out("{} weights in groups of {}, {} values by {}{}: {}\n", groups.weights, weights.group,
            groups.elements, word_of(groups.rounding),
            groups.weighted ? fmt::format(" with the inputs of {} samples", groups.samples) : "",
            decibels(groups.sqnr_db()));
}

// Where inputs and outputs hold codes.
void print_interface(const Interface& interface, const std::optional<PreprocessRecipe>& recipe) {
  const auto say = [](const char* kind, const InterfaceValue& v, const std::string& more) {
    print_out("{} '{}' holds codes of {}: scale {:.9g}, zero point {}{}\n", kind, v.name,
              name_of(v.params.type), v.params.scale.front(), v.params.zero_point.front(), more);
  };
  for (const InterfaceValue& v : interface.inputs) {
    const auto codes = recipe ? pixel_codes(*recipe, v.params) : std::nullopt;
    say("input", v, codes ? "; the code of pixel p is " + codes->formula() : "");
  }
  for (const InterfaceValue& v : interface.outputs) say("output", v, "");
}

// What of a file computes in float, and why.
using InFloat = std::pair<std::string, std::string>;
void print_in_float(const std::vector<InFloat>& list) {
  constexpr std::size_t most = 5;
  for (std::size_t i = 0; i < std::min(most, list.size()); ++i)
    print_out("  {} computes in float: {}\n", list[i].first, with_flags(list[i].second));
  if (list.size() > most) print_out("  and {} more (--report)\n", list.size() - most);
}

// What a TFLite file holds, and what differs from the model given.
void print_tflite(const TfliteFile& file) {
  print_out("TFLite: {} operators, {} on int8 codes, {} conversions, {} transposes\n",
            file.operators, file.on_codes, file.conversions, file.transposes);
  std::vector<InFloat> in_float;
  for (const TfliteFile::InFloat& node : file.in_float)
    in_float.emplace_back(node.node, node.reason);
  print_in_float(in_float);
  const auto say = [](const char* kind, const TflitePort& port) {
    if (port.channels_last)
      print_out("{} '{}' is {} in the file: its channels are last\n", kind, port.name,
                to_string(port.shape));
  };
  for (const TflitePort& port : file.inputs) say("input", port);
  for (const TflitePort& port : file.outputs) say("output", port);
}

// Which layers of a network of ncnn compute in integers, and why the others do not.
void print_ncnn(const NcnnSummary& network) {
  std::vector<InFloat> in_float;
  for (const NcnnSummary::Layer& layer : network.layers)
    if (!layer.integer)
      in_float.emplace_back(fmt::format("{} '{}'", layer.type, layer.name), layer.reason);
  print_out("ncnn: {} of {} layers with weights on int8 codes, {} beside it\n",
            network.layers.size() - in_float.size(), network.layers.size(), network.bin);
  print_in_float(in_float);
  for (const std::string& step : network.without)
    print_out("without {}: the network of the model given has no place for nodes that it adds\n",
              step);
}

void print_handed_over(const HandedOver& handed) {
  if (handed.float_model)
    print_out("{}: the float model of it, {}\n", handed.float_model->path,
              human_bytes(handed.float_model->bytes));
  if (handed.ranges)
    print_out("{}: ranges of {} {} for {}\n", handed.ranges->file.path, handed.ranges->values,
              handed.ranges->format == RangesFormat::ncnn ? "layers" : "values",
              word_of(handed.ranges->format));
}

// The check without advice to quantize what was to stay float.
CheckResult advised(const QuantizeResult& r) {
  CheckResult check = r.check;
  for (NodeCheck& node : check.nodes)
    if (node.verdict == Verdict::floating) node.remedy.clear();
  return check;
}

}  // namespace

void print_plan(const Plan& plan) {
  std::vector<std::vector<std::string>> rows = {{"node", "op", "", "reason"}};
  for (const NodePlan& node : plan.nodes)
    rows.push_back({node.name.empty() ? node.output : node.name, node.op,
                    node.quantized ? "quantized" : "float", with_flags(node.reason)});
  print_table(rows);
  print_out("\n{} of {} nodes would be quantized; nothing was written\n", plan.quantized_nodes(),
            plan.nodes.size());
}

void print_summary(const QuantizeResult& r, const Gates& gates) {
  const Quantized& quantized = r.kept.best.quantized;
  const SourceFile& source = r.session.prepared.source;
  if (r.kept.summary) print_kept(*r.kept.summary);
  const auto halves = std::ranges::count_if(quantized.plan.nodes, computes_in_float16);
  print_out("{}: {}, {} than {}\n", r.output.path, human_bytes(r.output.bytes),
            size_ratio(source.bytes, r.output.bytes), source.path);
  print_out("{}{}\n", check_line(r.check),
            halves > 0 ? fmt::format("; {} compute in float16", halves) : "");
  for (const std::string& line : check_reasons(advised(r))) print_out("  {}\n", with_flags(line));
  if (r.kept.best.groups) print_groups(r.kept.best.groups->summary, r.session.target.weights);
  if (r.output.tflite) print_tflite(*r.output.tflite);
  for (const FixedShape& fixed : r.output.fixed) print_out("{}\n", text_of(fixed));
  if (r.output.ncnn) print_ncnn(*r.output.ncnn);
  print_handed_over(r.handed_over);
  if (r.kept.best.refined.compared) print_effort(*r.kept.best.refined.compared);
  if (quantized.interface) print_interface(*quantized.interface, r.recipe);
  for (const std::string& hint : r.hints) print_out("hint: {}\n", hint);
  if (!r.measured) return;
  print_out("\n");
  if (!r.output.onnx()) print_out("measured on the Q/DQ model that the file was made of\n");
  print_evaluation("FP32", "INT8", r.measured->evaluation, r.evaluation_source);
  print_gates(gates.judge(r.measured->evaluation));
}

}  // namespace intaglio
