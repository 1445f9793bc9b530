// Options that take one of a few words: "--keep-as float|16bit". The words and what they mean stand
// in one table beside the enum (lib/base/words.h).
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/words.h"

namespace CLI {
class App;
}

namespace intaglio {

// The untyped part: calls `take` with a word of the list. shown: the default; empty: none.
void add_choice(CLI::App& command, const std::string& name, const std::vector<std::string>& choices,
                std::string shown, std::function<void(const std::string&)> take,
                const std::string& help);

// The value of a word of the table; `value` holds the default.
template <typename T, std::size_t n>
void add_choice(CLI::App& command, const std::string& name, T& value, const Words<T, n>& table,
                const std::string& help) {
  add_choice(
      command, name, words_in(table), std::string(word_in(table, value)),
      [&value, table](const std::string& word) { value = *value_in(table, word); }, help);
}

// The same without a default.
template <typename T, std::size_t n>
void add_choice(CLI::App& command, const std::string& name, std::optional<T>& value,
                const Words<T, n>& table, const std::string& help) {
  add_choice(
      command, name, words_in(table), "",
      [&value, table](const std::string& word) { value = value_in(table, word); }, help);
}

// An enum with words of its own.
template <typename T>
void add_choice(CLI::App& command, const std::string& name, T& value, const std::string& help) {
  add_choice(command, name, value, words(T{}), help);
}

}  // namespace intaglio
