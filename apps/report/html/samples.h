// Samples as pictures, with what the models say of them.
#pragma once

#include <string>

#include "apps/pipeline/shown.h"

namespace intaglio::html {

// A part of the page, with the id "samples"; empty where nothing is shown.
std::string samples_section(const Shown& shown, std::string_view heading, std::string_view text);

}  // namespace intaglio::html
