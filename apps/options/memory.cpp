#include "apps/options/memory.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <string>

#include "lib/base/memory.h"

namespace intaglio {
namespace {

double unit_of(std::string_view name) {
  if (name == "%") return static_cast<double>(machine_memory()) / 100;
  if (name.empty() || name == "B") return 1;
  if (name == "kB" || name == "KB") return 1e3;
  if (name == "MB") return 1e6;
  if (name == "GB") return 1e9;
  return 0;
}

// The number also reads "nan" and "inf".
void set_limit(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, text.data() + text.size());
  const double bytes = error == std::errc{} ? number * unit_of(unit) : 0;
  const bool fits = bytes >= 1 && bytes <= 1e18 && !(unit == "%" && number > 100);
  if (!fits)
    throw CLI::ValidationError("--max-memory",
                               fmt::format("'{}' is no size such as 800MB, 4GB or 50%", text));
  set_memory_limit(static_cast<std::size_t>(bytes));
}

}  // namespace

void add_memory_option(CLI::App& root) {
  root.add_option_function<std::string>(
          "--max-memory", set_limit,
          "Most memory for values and weights: 800MB, 4GB, 50% of the machine")
      ->type_name("SIZE")
      ->default_str("80%");
}

}  // namespace intaglio
