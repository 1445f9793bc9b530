// Sensitivity: what each layer costs when it alone is quantized, and what is won when it alone
// stays float. Only the activations and weights themselves are rounded: a bias is as exact as its
// int32.
#pragma once

#include <string>
#include <vector>

#include "calibration/sensitivity/groups.h"
#include "calibration/sensitivity/layers.h"
#include "calibration/sensitivity/simulator.h"

namespace intaglio {

struct LayerSensitivity {
  QuantizedLayer layer = {};
  double macs = 0;             // of one sample, measured
  std::uint64_t weights = 0;   // that are stored in codes
  Noise alone_quantized = {};  // every other layer is float
  Noise alone_float = {};      // every other layer is quantized
  Noise weights_alone = {};    // nothing but its weights are codes
};

struct GroupSensitivity {
  LayerGroup group;
  Noise together_quantized = {};  // all other layers are float
  Noise together_float = {};      // all other layers are quantized
};

struct Sensitivity {
  Noise quantized;                       // of the whole plan
  std::vector<LayerSensitivity> layers;  // in the order of the plan
  std::vector<TiedValues> values;
  std::vector<Noise> values_alone;  // as `values`: nothing but they are codes
  std::vector<GroupSensitivity> groups;
  double macs = 0;  // of all nodes, quantized or not
};

struct SensitivityOptions {
  bool layers = true;  // measure alone_quantized and alone_float, and groups
  bool parts = true;   // measure weights_alone and values_alone
  SimulatorOptions simulator;
};

// What the network was quantized by. All must outlive the call.
struct QuantizedNetwork {
  const Model& reference;  // float
  const Model& refined;    // the same graph with the codes and biases of refinement, if any
  const Plan& plan;        // with numbers
  const Target& target;
  const Selection& selection;
};

// Throws Code::data when no sample can be loaded.
Sensitivity measure_sensitivity(const QuantizedNetwork& network, const Samples& samples,
                                const SensitivityOptions& options);

// Indices of layers, the most sensitive first: those with the most noise when quantized alone.
std::vector<std::size_t> ranking(const Sensitivity& sensitivity);

// Indices of groups, the one that wins most when it stays float first.
std::vector<std::size_t> group_ranking(const Sensitivity& sensitivity);

}  // namespace intaglio
