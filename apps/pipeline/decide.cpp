#include "apps/pipeline/decide.h"

#include "apps/pipeline/effort.h"
#include "apps/pipeline/float16.h"
#include "lib/quant/target_rules.h"

namespace intaglio {

Decided decide(const Ground& ground, Plan draft, const Method& method, Context& context,
               std::vector<std::string>& warnings) {
  const Graph& graph = ground.prepared.model.graph();
  Plan plan = std::move(draft);
  context.phase("select", [&] {
    select(plan, graph, ground.observed.statistics.observations,
           select_options(ground.quant, ground.target, method, context.worker_count()));
    apply_target_rules(plan, graph, ground.target);
  });
  settle_float16(plan, ground.prepared, ground.data, ground.float16_paths, ground.recipe, context,
                 warnings);
  if (ground.refine.compared && !ground.data.data.empty() && wants_data(plan, ground.refine))
    return better_effort(ground, plan, context, warnings);
  Refined refined =
      refine(ground.prepared, plan, ground.refine, ground.data, ground.recipe, context, warnings);
  return {std::move(plan), std::move(refined)};
}

Attempt write_decided(const Ground& ground, Decided decided, Context& context) {
  return {
      write_quantized(ground.prepared, std::move(decided.refined.model), std::move(decided.plan),
                      ground.quant.form, ground.target.engine, context),
      std::move(decided.refined.summary)};
}

Attempt attempt(const Ground& ground, Plan draft, const Method& method, Context& context,
                std::vector<std::string>& warnings) {
  return write_decided(ground, decide(ground, std::move(draft), method, context, warnings),
                       context);
}

}  // namespace intaglio
