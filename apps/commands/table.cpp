#include "apps/commands/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/commands/print.h"

namespace intaglio {

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  std::vector<bool> numeric;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (c >= width.size()) width.push_back(0), numeric.push_back(true);
      width[c] = std::max(width[c], rows[r][c].size());
      if (r > 0 && !rows[r][c].empty() &&
          rows[r][c].find_first_not_of("0123456789.-+ %MkGB") != std::string::npos)
        numeric[c] = false;
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c)
      line += numeric[c] && c > 0 ? fmt::format("{:>{}}  ", row[c], width[c])
                                  : fmt::format("{:<{}}  ", row[c], width[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    print_out("{}\n", line);
  }
}

}  // namespace intaglio
