// The steps of the refine stage that need the quantized network: rounding and bias correction,
// layer by layer, in one run of a lockstep pair.
#pragma once

#include "calibration/refine/bias_correction.h"
#include "calibration/refine/gptq.h"

namespace intaglio {

struct RefineLayersOptions {
  bool rounding = false, bias = true;
  LockstepOptions pair = {};
};

struct RefinedLayers {
  std::size_t samples = 0;  // that took part in the end
  BiasCorrection bias;
  WeightRounding rounding;
};

// Fills in the codes and shifts of a plan with numbers. Does not depend on threads. Throws
// Code::data when no sample can be loaded.
RefinedLayers refine_layers(const Model& model, Plan& plan, const Samples& samples,
                            const RefineLayersOptions& options);

}  // namespace intaglio
