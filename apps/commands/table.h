// A table on stdout.
#pragma once

#include <string>
#include <vector>

namespace intaglio {

// The first row is the head. Columns that look like numbers are right-aligned.
void print_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace intaglio
