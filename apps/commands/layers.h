// What every layer of a model costs, and where it runs.
#pragma once

#include "lib/base/json.h"
#include "lib/check/check.h"
#include "lib/quant/target.h"

namespace intaglio {

// One row for each node: output shape, MACs, bytes of weights and of its result, the type in which
// that is held, and the verdict; then the sums.
void print_layers(const CheckResult& result);

// "intaglio.inspect/1" of the kind "layers".
Json layers_json(const std::string& file, const Target& target, const CheckResult& result);

}  // namespace intaglio
