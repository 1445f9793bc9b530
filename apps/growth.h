// A result that is larger than its source.
#pragma once

#include <cstdint>
#include <string>

#include "lib/graph/model.h"

namespace intaglio {

// A warning that names the cause; empty when the result is not larger. source_bytes: of the model's
// file; where the weights lie beside it, what the prepared model would take counts.
std::string growth_warning(const Model& prepared, std::uint64_t source_bytes, const Model& result);

}  // namespace intaglio
