#include "apps/pipeline/calibrate.h"

#include <fmt/format.h>

namespace intaglio {

CalibrateResult calibrate(const CalibrateSpec& o, Context& context) {
  Target target = effective_target(o.quant);
  if (!o.quant.form.calibrated())
    throw Error(Code::usage, fmt::format("--format {} needs no calibration", o.quant.form.name()),
                "Run 'intaglio quantize' without data.");
  CalibrateResult result{
      open_session(o.model, std::move(target), refine_steps(o.refine), o.quant, {}, context),
      {},
      {}};
  result.observed =
      observe(result.session, o.quant, o.data, {.like = o.like}, context, result.warnings);
  return result;
}

}  // namespace intaglio
