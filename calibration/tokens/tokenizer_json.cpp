#include "calibration/tokens/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>

namespace intaglio {

TokenizerJson parse_tokenizer_json(std::string_view text, const std::string& origin) {
  const auto fault = [&](const std::string& reason) {
    return Error(Code::config, fmt::format("{}: {}", origin, reason),
                 "Give the tokenizer.json that lies beside the model.");
  };
  const auto require_depth = [&](int depth, TokenizerJson::parse_event_t, TokenizerJson&) {
    if (depth > deepest_json) throw fault(fmt::format("nests deeper than {} levels", deepest_json));
    return true;
  };
  try {
    return TokenizerJson::parse(text, require_depth);
  } catch (const TokenizerJson::parse_error& e) {
    const auto end = std::min(e.byte, text.size());
    throw fault(
        fmt::format("no JSON from line {} on", 1 + std::ranges::count(text.substr(0, end), '\n')));
  } catch (const TokenizerJson::exception&) {
    throw fault("a number that nothing can hold");
  }
}

Place::Place(const TokenizerJson& json, std::string origin, std::string path)
    : json_(json), origin_(std::move(origin)), path_(std::move(path)) {}

bool Place::has(std::string_view key) const {
  if (!json_.is_object()) return false;
  const auto it = json_.find(key);
  return it != json_.end() && !it->is_null();
}

Place Place::at(std::string_view key) const {
  if (!json_.is_object()) fail("expected an object");
  const auto it = json_.find(key);
  if (it == json_.end()) fail(fmt::format("'{}' is missing", key));
  return {*it, origin_, fmt::format("{}.{}", path_, key)};
}

std::vector<Place> Place::list(std::string_view key) const { return at(key).items(); }

std::vector<Place> Place::items() const {
  if (!json_.is_array()) fail("expected a list");
  std::vector<Place> places;
  for (const TokenizerJson& item : json_)
    places.emplace_back(item, origin_, fmt::format("{}[{}]", path_, places.size()));
  return places;
}

std::string Place::text() const {
  if (!json_.is_string()) fail("expected a text");
  return json_.get<std::string>();
}

std::string Place::text(std::string_view key, std::string_view fallback) const {
  return has(key) ? at(key).text() : std::string(fallback);
}

std::int64_t Place::number() const {
  constexpr std::int64_t most = 1 << 30;  // ids and lengths
  if (!json_.is_number_integer()) fail("expected a whole number");
  if (json_ < 0 || json_ > most) fail(fmt::format("{} is out of range", json_.dump()));
  return json_.get<std::int64_t>();
}

bool Place::flag(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const Place place = at(key);
  if (!place.json_.is_boolean()) place.fail("expected true or false");
  return place.json_.get<bool>();
}

void Place::fail(const std::string& reason) const {
  throw Error(Code::config, fmt::format("{}: {}: {}", origin_, path_, reason),
              "Give the tokenizer.json that lies beside the model.");
}

void Place::refuse(const std::string& what) const {
  throw Error(Code::unsupported, fmt::format("{}: {}: {} is not read", origin_, path_, what),
              give_ids);
}

}  // namespace intaglio
