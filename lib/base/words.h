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

// Tables may also name some of the values of a type, under names of the place (u8, s8, fp16).
template <typename T, std::size_t n>
using Words = std::array<Word<T>, n>;

// The word of a value; empty: the table has none for it.
template <typename T, std::size_t n>
constexpr std::string_view word_in(const Words<T, n>& table, T value) {
  for (const Word<T>& w : table)
    if (w.value == value) return w.word;
  return "";
}

// nullopt: no value has that word.
template <typename T, std::size_t n>
constexpr std::optional<T> value_in(const Words<T, n>& table, std::string_view word) {
  for (const Word<T>& w : table)
    if (w.word == word) return w.value;
  return std::nullopt;
}

// All of them, in the order of the table.
template <typename T, std::size_t n>
std::vector<std::string> words_in(const Words<T, n>& table) {
  std::vector<std::string> all;
  for (const Word<T>& w : table) all.emplace_back(w.word);
  return all;
}

// The same by an enum's own table.
template <typename T>
constexpr std::string_view word_of(T value) {
  return word_in(words(value), value);
}
template <typename T>
constexpr std::optional<T> value_of(std::string_view word) {
  return value_in(words(T{}), word);
}
template <typename T>
std::vector<std::string> words_of() {
  return words_in(words(T{}));
}

}  // namespace intaglio
