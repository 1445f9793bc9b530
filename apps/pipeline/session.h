// The beginning that quantize, calibrate, compare and analyze have in common: a model, prepared for
// a target, and a draft of what is quantized.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/context.h"
#include "apps/pipeline/observe.h"
#include "apps/pipeline/prepare.h"
#include "apps/pipeline/quant.h"
#include "apps/pipeline/refine.h"

namespace intaglio {

struct Session {
  Target target;
  RefineSteps steps;
  Prepared prepared;
  Plan plan;  // a draft until a stage fills in numbers
};

// A plan that was given in place of a draft, and where it came from.
struct GivenPlan {
  Plan plan;
  std::string origin;
};

// Loads and prepares the model, and drafts the plan; a given one must be for this model
// (Code::config otherwise). An interface of codes that the draft cannot have is refused
// (require_interface), as is a model that the form cannot hold
// (Code::unsupported). With quant.form.from_qdq the model is taken as it is.
Session open_session(const std::string& model, Target target, const RefineSteps& steps,
                     const QuantOptions& quant, std::optional<GivenPlan> given, Context& context);

// observe() for the session's draft: with its steps, drafting anew as it was drafted.
Observed observe(Session& session, const QuantOptions& quant, const DataOptions& data,
                 ObserveRequest request, Context& context, std::vector<std::string>& warnings);

}  // namespace intaglio
