// Bias correction: what quantization shifts in the mean of a layer's result goes into its bias.
//
// The float network and its quantized twin (weights and activations rounded to their codes) are
// taken through the graph side by side, layer by layer. Behind each layer with a bias, before its
// activation, the difference of both results is averaged by output channel, over all samples and
// positions, and added to the bias:
//   b_c += sum m (y - y') / sum m
// Later layers see the corrected values. m weighs a position by what the activation behind the
// layer lets through: 1 where the float result is in its active range, max(0.05, slope^2)
// elsewhere; 1 everywhere without an activation.
//
// (Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019,
// section 4.2, with the empirical means of the quantized network instead of the float one's.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/graph/model.h"
#include "lib/quant/plan.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

struct BiasCorrectionOptions {
  bool masked = true;  // false: m = 1
  std::size_t threads = 1;
};

struct BiasCorrection {
  std::size_t samples = 0;
  std::size_t corrected = 0;          // layers
  std::vector<std::string> left_out;  // layers whose bias could not be changed, with the reason
};

// Fills in the shifts of the biases of a plan with numbers. samples: feeds of each. Memory: two
// times the live values of one run for each sample. Does not depend on threads.
BiasCorrection correct_biases(const Model& model, Plan& plan,
                              const std::vector<std::vector<Tensor>>& samples,
                              const BiasCorrectionOptions& options);

// Adds the shifts of a plan to the biases of the prepared model that it is for. Throws Code::config
// when a shift does not fit its bias.
void apply_shifts(Model& model, const Plan& plan);

// How many samples fit into `bytes`, at least 1: by the live values of one run.
std::size_t samples_that_fit(const Model& model, const std::vector<Tensor>& feeds,
                             std::uint64_t bytes);

}  // namespace intaglio
