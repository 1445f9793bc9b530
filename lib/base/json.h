// JSON for reports, plans, targets and presets: nlohmann_json behind one door, plus a strict
// reader.
//
// Files that people write by hand are read through JsonObject, which knows its place in the
// document ("configs/x.json: $.rules[2].op") and turns an unknown key, a wrong type or a wrong
// value into a Code::config error that names that place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/words.h"

namespace intaglio {

using Json = nlohmann::ordered_json;  // keeps the order of keys: reports are meant to be read

// Documents nest no deeper: whoever copies, prints or reads one does it by recursion.
constexpr int deepest_json = 512;

// Parses a text that messages call `origin`. Throws Code::config, with line and column, when it is
// not JSON, nests deeper than deepest_json or repeats a key. Comments (// and /* */) are allowed:
// targets explain their facts.
Json parse_json(std::string_view text, const std::string& origin);

// The same of a file; Code::io when it cannot be read.
Json read_json_file(const std::filesystem::path& path);

// The same of a text that need not be JSON; discarded (Json::is_discarded) when it is not.
Json parse_json_if_any(std::string_view text);

// A view of one JSON object that is read key by key. Call done() last: a key that nobody asked for
// is an error. The view does not own the document.
class JsonObject {
 public:
  // origin: what a message calls the document, usually its path.
  JsonObject(const Json& object, std::string origin, std::string path = "$");

  bool has(std::string_view key) const;

  // The value of a key as T (bool, integers, double, std::string, std::vector of those).
  // Throws Code::config when the key is missing, has another type or does not fit T.
  template <typename T>
  T get(std::string_view key) {
    return convert<T>(at(key), std::string(key));
  }
  template <typename T>
  T get(std::string_view key, T fallback) {
    read_.emplace(key);  // known, even when it is absent
    return has(key) ? get<T>(key) : fallback;
  }

  // A string that must be one of the given words.
  std::string choice(std::string_view key, std::initializer_list<std::string_view> words);
  std::string choice(std::string_view key, std::initializer_list<std::string_view> words,
                     std::string_view fallback);

  // The value of an enum (lib/base/words.h) whose word stands there.
  template <typename T>
  T word(std::string_view key) {
    return *value_of<T>(choice(key, words_of<T>()));
  }
  std::string choice(std::string_view key, const std::vector<std::string>& words);

  JsonObject object(std::string_view key);  // a nested object
  const Json& at(std::string_view key);     // the raw value; marks the key as read
  std::string path_of(std::string_view key) const { return path_ + "." + std::string(key); }

  // Throws Code::config naming the first key that was not read and the keys that are known.
  void done() const;

  [[noreturn]] void fail(std::string_view key, const std::string& reason) const;

 private:
  template <typename T>
  T convert(const Json& value, const std::string& key) const {
    if constexpr (std::is_same_v<T, bool>) {
      if (!value.is_boolean()) fail(key, "expected true or false");
    } else if constexpr (std::is_integral_v<T>) {
      if (!value.is_number_integer()) fail(key, "expected a whole number");
      const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                                   : std::in_range<T>(value.get<std::int64_t>());
      if (!fits) fail(key, value.dump() + " is out of range");
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!value.is_number()) fail(key, "expected a number");
    } else if constexpr (requires(T list) { list.push_back(typename T::value_type()); } &&
                         !std::is_same_v<T, std::string> && !std::is_same_v<T, Json>) {
      if (!value.is_array()) fail(key, "expected a list");
      T list;
      for (std::size_t i = 0; i < value.size(); ++i)
        list.push_back(
            convert<typename T::value_type>(value[i], key + "[" + std::to_string(i) + "]"));
      return list;
    }
    try {
      return value.get<T>();
    } catch (const Json::exception&) {
      fail(key, "has the wrong type (" + std::string(value.type_name()) + ")");
    }
  }

  const Json& object_;
  std::string origin_;
  std::string path_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace intaglio
