// What --keep-float found, as text.
#pragma once

#include "lib/base/json.h"

namespace intaglio {

// kept: the "keep_float" part of a report. The trials as a table, and the layers that stay float.
void print_kept(const Json& kept);

}  // namespace intaglio
