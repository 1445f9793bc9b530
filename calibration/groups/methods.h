// The methods that quantize weights in groups, one file each.
//
//   nearest       the range of each group, codes by rounding
//   range_search  the scale and zero point of the least squared error, of the weights or, with the
//                 second moments of the inputs, of the results that they make
//   gptq          that, and each code makes up for the errors of those before it
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "calibration/groups/moments.h"
#include "lib/base/words.h"
#include "lib/quant/group_method.h"

namespace intaglio {

enum class GroupRounding { nearest, range_search, gptq };
constexpr std::array<Word<GroupRounding>, 3> words(GroupRounding) {
  return {{{"nearest", GroupRounding::nearest},
           {"range_search", GroupRounding::range_search},
           {"gptq", GroupRounding::gptq}}};
}

std::unique_ptr<GroupMethod> make_nearest();

// importance: how much an error of each input's weights counts, one for each input, all of them
// positive; empty: all alike.
std::unique_ptr<GroupMethod> make_range_search(std::vector<float> importance);

// Moments of as many inputs as the weights have. threads: to prepare them.
std::unique_ptr<GroupMethod> make_group_gptq(const InputMoments& moments, std::size_t threads);

// What range_search takes, of the mean squares of inputs: relative to their mean, with 1 % of it
// added; ones where all are 0.
std::vector<float> importance_of(std::span<const double> squares);

}  // namespace intaglio
