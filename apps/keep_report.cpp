#include "apps/keep_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "apps/context.h"
#include "apps/report.h"

namespace intaglio {
namespace {

std::string kept_as(const Json& kept) {
  return kept["as"] == "float" ? "kept float" : "with 16 bits";
}

}  // namespace

void print_kept(const Json& kept) {
  if (!kept["trials"].empty()) {
    std::vector<std::vector<std::string>> rows = {
        {kept_as(kept), kept["objective"] == "size" ? "weights %" : "MACs %", "SQNR dB",
         "agreement %", ""}};
    const auto text = [](const Json& value) {
      return value.is_null() ? std::string("-") : percent(value.get<double>());
    };
    for (const Json& t : kept["trials"])
      rows.push_back({std::to_string(t["layers"].get<std::size_t>()), text(t["share"]),
                      text(t["sqnr_db"]), text(t["agreement"]),
                      t["missed"].empty() ? "holds" : "missed"});
    print_table(rows);
  }
  constexpr std::size_t named = 10;
  std::vector<std::string> names;
  for (const Json& l : kept["layers"]) names.push_back(node_label(l));
  const std::size_t count = names.size();
  if (count > named) names.resize(named);
  fmt::print("\n{} layers {}{}{}{}\n\n", count, kept_as(kept), count == 0 ? "" : ": ",
             fmt::join(names, ", "),
             count > named ? fmt::format(" and {} more (--report)", count - named) : "");
}

}  // namespace intaglio
