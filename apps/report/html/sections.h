// The parts of the page, from top to bottom. Each returns HTML, headings included.
#pragma once

#include <string>

#include "apps/report/html/page.h"

namespace intaglio::html {

std::string gates_section(const Json& report);          // what was asked for; empty: nothing
std::string warnings_section(const Json& report);       // warnings, samples left out
std::string summary_section(const PageSource& source);  // files, sizes, how it was made
std::string evaluation_summary(const Json& report);     // the same of evaluate
std::string accuracy_section(const Json& report);       // models side by side, outputs
std::string worst_section(const Shown& shown);          // pictures of the samples that lost most
std::string activations_section(
    const PageSource& source);                          // a table with a histogram for each value
std::string weights_section(const PageSource& source);  // the same with the ranges of channels
std::string nodes_section(const PageSource& source);    // what stays float and why

}  // namespace intaglio::html
