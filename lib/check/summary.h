// A check in words: `check`, the closing lines of `quantize`, its report and the page say these.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/check/check.h"

namespace intaglio {

// Share of the multiplications that run in integers, in percent; nullopt: none is known.
std::optional<double> integer_share(const CheckResult& result);

// "33 nodes in integers, 2 in float, 0 misfits; 100.00 % of 12.3 million MACs in integers"
std::string check_line(const CheckResult& result);

// Nodes that are alike together, misfits first:
// "misfit: Conv (2, for example 'c1'): the codes of its result ...; use asymmetric activations"
// At most `most` lines, and one that counts the rest.
std::vector<std::string> check_reasons(const CheckResult& result, std::size_t most = 5);

}  // namespace intaglio
