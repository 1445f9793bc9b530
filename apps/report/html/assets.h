// What the page carries along.
#pragma once

#include <string_view>

namespace intaglio::html {

extern const std::string_view style;   // CSS: light, dark, print
extern const std::string_view script;  // JavaScript: sorting; details open for printing

}  // namespace intaglio::html
