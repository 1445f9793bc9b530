#include "lib/base/json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "lib/base/file.h"

namespace intaglio {

Json read_json_file(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  try {
    return Json::parse(text, nullptr, true, /*ignore_comments=*/true);
  } catch (const nlohmann::json::parse_error& e) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
    const auto line = 1 + std::count(text.begin(), end, '\n');
    throw Error(Code::config, fmt::format("{}:{}: not valid JSON", path.string(), line),
                "Mend the syntax; a missing comma or quote just before that line is the usual cause.");
  }
}

JsonObject::JsonObject(const Json& object, std::string origin, std::string path)
    : object_(object), origin_(std::move(origin)), path_(std::move(path)) {
  if (!object.is_object())
    throw Error(Code::config, fmt::format("{}: {}: expected an object", origin_, path_));
}

bool JsonObject::has(std::string_view key) const { return object_.contains(std::string(key)); }

const Json& JsonObject::at(std::string_view key) {
  read_.emplace(key);
  const auto it = object_.find(std::string(key));
  if (it == object_.end()) fail(key, "is missing");
  return *it;
}

std::string JsonObject::choice(std::string_view key, std::initializer_list<std::string_view> words) {
  auto value = get<std::string>(key);
  if (std::find(words.begin(), words.end(), value) == words.end())
    fail(key, fmt::format("'{}' is not one of {}", value, fmt::join(words, ", ")));
  return value;
}

std::string JsonObject::choice(std::string_view key, std::initializer_list<std::string_view> words,
                               std::string_view fallback) {
  return has(key) ? choice(key, words) : std::string(fallback);
}

JsonObject JsonObject::object(std::string_view key) {
  return JsonObject(at(key), origin_, path_of(key));
}

void JsonObject::done() const {
  for (const auto& item : object_.items()) {
    if (read_.contains(item.key())) continue;
    throw Error(Code::config, fmt::format("{}: {}.{}: unknown key", origin_, path_, item.key()),
                fmt::format("Known keys here: {}.", fmt::join(read_, ", ")));
  }
}

void JsonObject::fail(std::string_view key, const std::string& reason) const {
  throw Error(Code::config, fmt::format("{}: {}: {}", origin_, path_of(key), reason));
}

}  // namespace intaglio
