#include "apps/pipeline/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "apps/pipeline/shapes.h"
#include "apps/pipeline/warnings.h"
#include "lib/io/save.h"

namespace intaglio {
namespace {

std::vector<Method> parse_methods(const std::vector<std::string>& texts) {
  std::vector<Method> methods;
  std::set<std::string> seen;
  for (const std::string& text : texts)
    if (!seen.insert(methods.emplace_back(parse_method(text)).text()).second)
      throw Error(Code::usage, fmt::format("--method {} is given twice", text),
                  "Give each method once.");
  if (texts.empty())
    for (const SelectorDef& def : selectors()) methods.push_back(parse_method(def.name));
  return methods;
}

// Of choosing ranges: their order in the list of all methods.
std::vector<double> costs_of(const std::vector<Method>& methods) {
  std::vector<double> costs;
  const auto all = selectors();
  for (const Method& method : methods)
    costs.push_back(
        static_cast<double>(std::ranges::find(all, method.name, &SelectorDef::name) - all.begin()));
  return costs;
}

MetricRequest metric_request(const CompareSpec& o) {
  std::vector<Metric> needed;
  if (const MetricDef* def = metric_of(o.objective)) needed.push_back(def->metric);
  return request_of(o.metric, std::move(needed), !o.data.labels.empty());
}

// Every method, decided and rewritten from the same statistics.
std::vector<Compared> attempt_all(const std::vector<Method>& methods, const Ground& ground,
                                  const Plan& plan, Context& context,
                                  std::vector<std::string>& warnings) {
  std::vector<Compared> compared;
  for (const Method& method : methods) {
    Attempt done = attempt(ground, plan, method, context, warnings);
    compared.push_back({method, std::move(done.quantized), std::move(done.refined), {}, 0});
  }
  return compared;
}

// All of them over the same samples, beside the float model.
void measure_all(const CompareSpec& o, const Prepared& prepared, const SampleSet& set,
                 const MetricRequest& request, std::vector<Compared>& methods, Context& context) {
  std::vector<const Quantized*> quantized;
  for (const Compared& m : methods) quantized.push_back(&m.quantized);
  std::vector<Measured> measured = context.phase("evaluate", [&] {
    return measure(prepared, quantized, set.samples(), {o.exact, request}, context);
  });
  for (std::size_t i = 0; i < methods.size(); ++i) methods[i].measured = std::move(measured[i]);
}

// What is said of the plans of all methods alike once; of some, with their names, unless it begins
// with that.
std::vector<std::string> warnings_by_method(const std::vector<Compared>& methods) {
  std::vector<std::pair<std::string, std::vector<std::string>>> said;  // with who says it
  for (const Compared& m : methods)
    for (const std::string& warning : distinct(m.quantized.plan.warnings)) {
      auto it = std::ranges::find(said, warning, [](const auto& each) { return each.first; });
      if (it == said.end()) it = said.insert(it, {warning, {}});
      it->second.push_back(m.method.text());
    }
  std::vector<std::string> warnings;
  for (const auto& [warning, names] : said)
    warnings.push_back(names.size() == methods.size() || warning.starts_with(names.front() + ":")
                           ? warning
                           : fmt::format("{}: {}", fmt::join(names, ", "), warning));
  return warnings;
}

}  // namespace

void require_consistent(const CompareSpec& o) {
  require_file_name(o.output, o.quant.form);
  if (!o.quant.form.calibrated())
    throw Error(
        Code::usage,
        fmt::format("--format {} has no calibration methods to compare", o.quant.form.name()),
        "Compare qdq or qoperator.");
  const MetricDef* objective = metric_of(o.objective);
  if (objective != nullptr && objective->labels && o.data.labels.empty())
    throw Error(Code::usage, fmt::format("--objective {} needs labels", o.objective),
                "Give --labels FILE.csv.");
}

CompareResult compare(const CompareSpec& o, Context& context) {
  if (o.quant.form.form == OutputForm::ncnn)
    throw Error(Code::usage, "--format ncnn: no network is written of what is compared",
                "Compare with --target ncnn, and quantize by the method that is best.");
  const std::vector<Method> methods = parse_methods(o.methods);
  Target target = effective_target(o.quant);
  const RefineSteps steps = refine_steps(o.refine);
  require_consistent(o);
  const MetricRequest request = metric_request(o);
  CompareResult result{
      .session = open_session(o.model, std::move(target), steps, o.quant, {}, context),
      .observed = {},
      .evaluation_data = {},
      .evaluation_source = {},
      .methods = {},
      .objective = o.objective,
      .best = {},
      .output = {},
      .warnings = {}};
  Session& session = result.session;
  const Prepared& prepared = session.prepared;
  require_something(session.plan);
  require_plannable(request, prepared.model.graph());
  require_fixable(o.quant.form, session.target, prepared.model, o.model);
  if (!o.output.empty()) declare_data(context.outputs, prepared, o.output);

  std::vector<std::string>& warnings = result.warnings;
  Split data = o.calibration.empty() ? split(o.data, o.eval_data, prepared.model, warnings)
                                     : unsplit(o.data, o.eval_data, EvalSource::given);
  result.evaluation_source = data.source;
  data.evaluation.most = o.eval_limit;
  result.observed = observe(session, o.quant, data.calibration, {.calibration = o.calibration},
                            context, warnings);
  const PreprocessRecipe recipe =
      make_recipe(data.evaluation, prepared.model, warnings, result.observed.statistics.preprocess);
  const Ground ground{prepared,         session.target,        o.quant, result.observed,
                      data.calibration, data.calibration.data, recipe,  steps};
  result.methods = attempt_all(methods, ground, session.plan, context, warnings);

  const SampleSet set(data.evaluation, data.evaluation.data, recipe, prepared.model);
  measure_all(o, prepared, set, request, result.methods, context);
  set.finish(warnings);
  for (std::string& warning : evaluation_warnings(result.methods.front().measured.evaluation))
    warnings.push_back(std::move(warning));
  result.evaluation_data = set.summary(context.worker_count());
  if (result.objective.empty())
    result.objective = default_objective(result.methods.front().measured.evaluation.plan);

  std::vector<const Evaluation*> evaluations;
  for (Compared& m : result.methods) {
    write_metadata(m.quantized.model, prepared, o.quant, m.method.text(),
                   set.reads_images() ? std::optional(recipe) : std::nullopt);
    m.bytes = size_of(m.quantized.model);
    evaluations.push_back(&m.measured.evaluation);
  }
  for (std::string& warning : warnings_by_method(result.methods))
    warnings.push_back(std::move(warning));
  result.best = best_of(evaluations, result.objective, costs_of(methods));
  warnings = distinct(std::move(warnings));
  if (o.output.empty()) return result;
  Model& best = result.methods[result.best.index].quantized.model;
  std::vector<FixedShape> fixed = fix_output(best, o.quant.form, result.session.target);
  result.output = context.phase(
      "save", [&] { return save(context.outputs, best, o.output, o.quant.form.name()); });
  result.output->fixed = std::move(fixed);
  warn_of_growth(prepared, best, *result.output, warnings);
  return result;
}

}  // namespace intaglio
