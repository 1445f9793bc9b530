#include "apps/pipeline/decide.h"

#include "apps/pipeline/effort.h"
#include "apps/pipeline/float16.h"
#include "apps/pipeline/pixels.h"
#include "lib/quant/target_rules.h"

namespace intaglio {
namespace {

// The inputs whose range is stated; else, where codes of images are fed, the one that images become.
void know_inputs(SelectOptions& options, const Ground& ground, const Plan& plan) {
  std::vector<const Value*> inputs;
  for (const Value* feed : ground.prepared.model.graph().feeds())
    if (is_float(feed->dtype())) inputs.push_back(feed);
  if (const auto& stated = ground.quant.input_range) {
    for (const Value* input : inputs)
      options.known[input->name()] = {range_for_pixels(*stated), "the range that was stated"};
    return;
  }
  const Json& settled = ground.observed.statistics.preprocess;
  if (ground.quant.form.io.inputs == DType::undefined || inputs.size() != 1 || settled.is_null())
    return;
  const ActivationPlan* input = plan.find(inputs.front()->name());
  const auto range = pixel_range(recipe_from_json(settled, "the recipe of the calibration"));
  if (input != nullptr && !input->scheme.symmetric && range && range->lo <= 0 && range->hi >= 0)
    options.known[input->name] = {range_for_pixels(*range), "the range that the recipe can give"};
}

}  // namespace

Decided decide(const Ground& ground, Plan draft, const Method& method, Context& context,
               std::vector<std::string>& warnings) {
  const Graph& graph = ground.prepared.model.graph();
  Plan plan = std::move(draft);
  context.phase("select", [&] {
    SelectOptions options =
        select_options(ground.quant, ground.target, method, context.worker_count());
    know_inputs(options, ground, plan);
    select(plan, graph, ground.observed.statistics.observations, options);
    apply_target_rules(plan, graph, ground.target);
  });
  std::optional<QuantizedGroups> groups;
  if (ground.target.weights.group > 0)
    groups = quantize_groups_of(plan, ground.prepared, ground.quant.form, ground.groups,
                                ground.data, ground.recipe, context, warnings);
  settle_float16(plan, ground.prepared, ground.data, ground.float16_paths, ground.recipe, context,
                 warnings);
  if (ground.refine.compared && !ground.data.data.empty() && wants_data(plan, ground.refine))
    return better_effort(ground, plan, context, warnings);
  Refined refined =
      refine(ground.prepared, plan, ground.refine, ground.data, ground.recipe, context, warnings);
  return {std::move(plan), std::move(refined), std::move(groups)};
}

Attempt write_decided(const Ground& ground, Decided decided, Context& context) {
  return {write_quantized(ground.prepared, std::move(decided.refined.model),
                          std::move(decided.plan), ground.quant.form, ground.target, context),
          std::move(decided.refined.summary), std::move(decided.groups)};
}

Attempt attempt(const Ground& ground, Plan draft, const Method& method, Context& context,
                std::vector<std::string>& warnings) {
  return write_decided(ground, decide(ground, std::move(draft), method, context, warnings),
                       context);
}

}  // namespace intaglio
