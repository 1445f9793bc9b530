// What a target does with a quantized model (lib/check/check.h), as JSON.
#pragma once

#include <string>

#include "lib/base/json.h"
#include "lib/check/check.h"

namespace intaglio {

// The "check" part of a report: counts, MACs, problems of the model as a whole, and the nodes that
// do not run in integers with reason and remedy.
Json check_json(const CheckResult& result, const std::string& target);

// One node, as in the "nodes" of the command's document.
Json node_check_json(const NodeCheck& node);

// One problem of the model as a whole.
Json problems_json(const CheckResult& result);

}  // namespace intaglio
