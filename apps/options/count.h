// Options that take a number of things.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>

namespace intaglio {

// A check: of whole numbers, those from 1 on.
inline CLI::Validator at_least_one() {
  return {[](std::string& text) {
            const bool digits = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
              return c >= '0' && c <= '9';
            });
            const bool some = std::ranges::any_of(text, [](char c) { return c != '0'; });
            return digits && some ? std::string()
                                  : "expected a whole number from 1 on, not '" + text + "'";
          },
          ""};
}

}  // namespace intaglio
