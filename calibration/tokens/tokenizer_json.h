// A place in a tokenizer.json: what stands there, or an error that names the place.
//
// The reader of lib/base/json.h keeps the order of keys and looks them up one by one, which a
// vocabulary of a hundred thousand words is too long for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"

namespace intaglio {

using TokenizerJson = nlohmann::json;

// Throws Code::config, with the line, when it is no JSON, or nests deeper than deepest_json. text must
// be UTF-8.
TokenizerJson parse_tokenizer_json(std::string_view text, const std::string& origin);

// Does not own the document.
class Place {
 public:
  Place(const TokenizerJson& json, std::string origin, std::string path = "$");

  const TokenizerJson& json() const { return json_; }
  bool has(std::string_view key) const;  // and it is not null

  // All but has() throw Code::config when it is missing or of another kind.
  Place at(std::string_view key) const;
  std::vector<Place> list(std::string_view key) const;
  std::vector<Place> items() const;  // of this list
  std::string text() const;
  std::string text(std::string_view key) const { return at(key).text(); }
  std::string text(std::string_view key, std::string_view fallback) const;
  std::int64_t number() const;
  std::int64_t number(std::string_view key) const { return at(key).number(); }
  bool flag(std::string_view key, bool fallback) const;
  std::string type() const { return text("type"); }

  [[noreturn]] void fail(const std::string& reason) const;
  // Code::unsupported: it may be all right, but is nothing that is read here.
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const TokenizerJson& json_;
  std::string origin_, path_;
};

// What helps whoever has a tokenizer that is not read.
inline constexpr const char* give_ids =
    "Tokenize with its own library, and give `data` the ids as .npy or .npz.";

}  // namespace intaglio
