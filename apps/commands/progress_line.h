// Progress of a phase on stderr.
#pragma once

#include <string>

#include "lib/base/progress.h"

namespace intaglio {

// On a terminal one live line with rate and time left; elsewhere a line per 10 %.
Progress progress_line(std::string phase);

}  // namespace intaglio
