#include "lib/base/json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "lib/base/file.h"

namespace intaglio {

namespace {

// JSON allows a key to occur twice and one of them to be ignored; a person who wrote both is
// mistaken.
Json::parser_callback_t refuse_depth_and_repeated_keys(const std::string& origin) {
  return [origin, open = std::vector<std::set<std::string>>()](int depth, Json::parse_event_t event,
                                                               Json& parsed) mutable {
    if (depth > deepest_json)
      throw Error(Code::config,
                  fmt::format("{}: nests deeper than {} levels", origin, deepest_json),
                  "Nothing that is read here is nested like that; check the file.");
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second)
      throw Error(Code::config,
                  fmt::format("{}: key {} occurs twice in one object", origin, parsed.dump()),
                  "Keep one of them.");
    return true;
  };
}

}  // namespace

Json parse_json(std::string_view text, const std::string& origin) {
  try {
    return Json::parse(text, refuse_depth_and_repeated_keys(origin), true,
                       /*ignore_comments=*/true);
  } catch (const Json::parse_error& e) {
    const std::string_view before(text.data(), std::min(e.byte, text.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0: the first line
    throw Error(
        Code::config, fmt::format("{}:{}:{}: not valid JSON", origin, line, column),
        "Mend the syntax; a missing comma or quote just before that place is the usual cause.");
  } catch (const Json::out_of_range&) {
    throw Error(Code::config, fmt::format("{}: a number is too large for any type", origin),
                "Mend that number.");
  }
}

Json read_json_file(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

Json parse_json_if_any(std::string_view text) {
  try {
    return parse_json(text, "");
  } catch (const Error&) {
    return Json(Json::value_t::discarded);
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

std::string JsonObject::choice(std::string_view key,
                               std::initializer_list<std::string_view> words) {
  return choice(key, std::vector<std::string>(words.begin(), words.end()));
}

std::string JsonObject::choice(std::string_view key, const std::vector<std::string>& words) {
  auto value = get<std::string>(key);
  if (std::find(words.begin(), words.end(), value) == words.end())
    fail(key, fmt::format("'{}' is not one of {}", value, fmt::join(words, ", ")));
  return value;
}

std::string JsonObject::choice(std::string_view key, std::initializer_list<std::string_view> words,
                               std::string_view fallback) {
  read_.emplace(key);
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
