// The steps of the refine stage that need the quantized network: rounding and bias correction,
// layer by layer, in one run of a lockstep pair.
#pragma once

#include "calibration/refine/bias_correction.h"
#include "calibration/refine/gptq.h"

namespace intaglio {

struct SideBySideOptions {
  bool rounding = false, bias = true;
  LockstepOptions pair = {};
};

struct SideBySide {
  std::size_t samples = 0;  // that took part in the end
  BiasCorrection bias;
  WeightRounding rounding;
};

// Fills in the codes and shifts of a plan with numbers. Does not depend on threads. Throws
// Code::data when no sample can be loaded.
SideBySide refine_side_by_side(const Model& model, Plan& plan, const Samples& samples,
                               const SideBySideOptions& options);

}  // namespace intaglio
