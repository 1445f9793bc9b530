// Warnings of a command, which several stages add to.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace intaglio {

// Equal ones once, in the order in which they came.
inline std::vector<std::string> distinct(std::vector<std::string> warnings) {
  std::vector<std::string> once;
  for (std::string& warning : warnings)
    if (std::find(once.begin(), once.end(), warning) == once.end())
      once.push_back(std::move(warning));
  return once;
}

}  // namespace intaglio
