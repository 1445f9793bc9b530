// Migration: the difficulty of activations moves into the weights of the MatMul and Gemm behind.
//
// A transformer's values have a few channels far wider than the rest, and what makes them is no
// layer: equalization does not reach them. Scales s_c = a_c ^ -alpha, chosen as in equalization.h,
// are taken up before the layers
//  - by the constants of carriers (carrier.h), when layers alone read the value, or attention that
//    layers alone read: nothing is added;
//  - else by a Mul that makes a scaled copy for the layers (of what a residual Add reads too, or
//    whose maker has no constants), and what else reads the value sees it as it was.
// The Mul reads floats: a value that is made on codes all the same, for other readers or because it
// was only moved, gets none.
//
// Noise of weights counts once here, not eight times: a layer of a transformer is read row by row,
// and errors of its weights are no more systematic than those of its inputs. On 24 groups of a
// sentence encoder the predicted ratios, 0.07 to 0.71, are then those of the squared error
// measured: within 5 % behind normalizations and attention, within a third behind Gelu, whose
// maximum is rare. A Mul pays when at most 0.7 are left.
//
// (Xiao et al., "SmoothQuant", 2022; the exponent is searched by group, from ranges alone.)
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "calibration/refine/channel_groups.h"
#include "calibration/refine/equalization.h"
#include "lib/graph/model.h"

namespace intaglio {

inline constexpr NoiseModel absorbed_noise = {.weights = 1, .worthwhile = 0.95};
inline constexpr NoiseModel copied_noise = {.weights = 1, .worthwhile = 0.7};

// Values that a copy could be made of, each a group of its own: read by MatMul or Gemm along their
// last axis, quantized in the draft with parameters of their own, made by a node, and in none of
// the groups that take up scales without one.
std::vector<ChannelGroup> copy_candidates(const Graph& graph, const Plan& draft);

struct Migration {
  std::vector<ChannelPlan> channels;  // with scales alone
  std::vector<GroupEqualization> groups;
  std::set<std::string> copied;  // which of the groups' values a Mul copies
};

// What is drafted of a changed graph; left_float as in Selection.
using Redraft =
    std::function<Plan(const Graph&, const std::map<std::string, std::string>& left_float)>;

// Chooses scales for the carried groups (channel_groups.h) and the candidates. `applied`: the
// plan's changes so far. measured: the values of both.
Migration choose_migration(const Model& model, const std::vector<ChannelGroup>& carried,
                           const std::vector<ChannelGroup>& candidates,
                           const ChannelMeasurements& measured, const Plan& plan,
                           const Redraft& redraft);

}  // namespace intaglio
