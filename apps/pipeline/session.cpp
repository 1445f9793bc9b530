#include "apps/pipeline/session.h"

#include <fmt/format.h>

#include "apps/pipeline/shapes.h"
#include "lib/base/configs.h"
#include "lib/tflite/write.h"

namespace intaglio {
namespace {

// The targets that come with the program, as a draft for the same options would see them, where
// somebody is to be told of one that can do more.
std::vector<Target> other_targets(const QuantOptions& quant) {
  std::vector<Target> targets;
  if (!quant.form.io.any()) return targets;
  for (const std::string& name : config_names(ConfigKind::target)) {
    QuantOptions other = quant;
    other.target = name;
    try {
      targets.push_back(effective_target(other));
    } catch (const Error&) {  // it cannot have these options
    }
  }
  return targets;
}

// What TFLite lacks is told before anything is measured. The metadata of the model are no matter.
void require_tflite(const Prepared& prepared, const ShapeRequest& shapes) {
  try {
    Model model = prepared.model.clone();
    fix_shapes(model, shapes);
    tflite_file(model);
  } catch (const Error& e) {
    throw e.within(prepared.source.path);
  }
}

}  // namespace

Session open_session(const std::string& model, Target target, const RefineSteps& steps,
                     const QuantOptions& quant, std::optional<GivenPlan> given, Context& context) {
  Prepared prepared = quant.form.from_qdq        ? load_quantized(model, context)
                      : target.weights.group > 0 ? load_unchanged(model, target, context)
                                                 : load_prepared(model, target, context);
  if (given && !given->plan.model_hash.empty() && given->plan.model_hash != prepared.hash)
    throw Error(Code::config, fmt::format("{}: was made for another model", given->origin),
                "Use the model it was saved with, or make a new plan.");
  Plan plan = given ? std::move(given->plan)
                    : draft_for(quant.form, prepared.model.graph(), target, quant.selection);
  plan.model_hash = prepared.hash;
  require_interface(quant.form, prepared.model.graph(), plan, other_targets(quant));
  if (quant.form.form == OutputForm::tflite && !quant.form.from_qdq)
    require_tflite(prepared, shapes_for(quant.form, target));
  return {std::move(target), steps, std::move(prepared), std::move(plan)};
}

Observed observe(Session& session, const QuantOptions& quant, const DataOptions& data,
                 ObserveRequest request, Context& context, std::vector<std::string>& warnings) {
  request.refine = session.steps;
  request.redraft = redraft_for(quant.form, session.target, quant.selection);
  return observe(session.prepared, session.plan, data, request, context, warnings);
}

}  // namespace intaglio
