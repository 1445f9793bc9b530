// The HTML report of analyze, under the same rules as page.h.
#pragma once

#include <string>

#include "lib/base/json.h"

namespace intaglio::html {

// report: intaglio.analysis/1.
std::string analysis_page(const Json& report);

}  // namespace intaglio::html
