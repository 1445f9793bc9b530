// The page of evaluate, under the same rules as page.h.
#pragma once

#include <string>

#include "apps/pipeline/shown.h"
#include "lib/base/json.h"

namespace intaglio::html {

// report: intaglio.evaluation/1.
std::string evaluation_page(const Json& report, const Shown& shown);

}  // namespace intaglio::html
