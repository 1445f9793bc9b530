// The words of an enum: what users and files call its values. Each enum that has words declares,
// in its own namespace,
//
//   constexpr std::array<Word<Effort>, 3> words(Effort) { return {{{"fast", Effort::fast}, ...}}; }
//
// and everything that reads, prints or lists its values goes by that one table.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace intaglio {

template <typename T>
struct Word {
  std::string_view word;
  T value;
};

// The word of a value that the table has.
template <typename T>
constexpr std::string_view word_of(T value) {
  for (const Word<T>& w : words(value))
    if (w.value == value) return w.word;
  return "";
}

// The same where the table is no enum's own: some of the values of a type, under names of the place.
template <typename T, std::size_t n>
constexpr std::string_view word_in(const std::array<Word<T>, n>& table, T value) {
  for (const Word<T>& w : table)
    if (w.value == value) return w.word;
  return "";
}

// nullopt: no value has that word.
template <typename T>
constexpr std::optional<T> value_of(std::string_view word) {
  for (const Word<T>& w : words(T{}))
    if (w.word == word) return w.value;
  return std::nullopt;
}

// All of them, in the order of the table.
template <typename T>
std::vector<std::string> words_of() {
  std::vector<std::string> all;
  for (const Word<T>& w : words(T{})) all.emplace_back(w.word);
  return all;
}

}  // namespace intaglio
