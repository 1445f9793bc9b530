#include "calibration/tokens/added_tokens.h"

#include <algorithm>

#include "calibration/tokens/unicode.h"

namespace intaglio {
namespace {

bool is_inside(std::string_view text, std::size_t at) {  // a character
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// Where the character in front begins.
std::size_t before(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && is_inside(text, at));
  return at;
}

std::size_t behind(std::string_view text, std::size_t at) {
  do ++at;
  while (is_inside(text, at));
  return at;
}

char32_t character_at(std::string_view text, std::size_t at) {
  return unicode::characters(text.substr(at, behind(text, at) - at)).front();
}

bool is_space_at(std::string_view text, std::size_t at) {
  return unicode::is_space(character_at(text, at));
}

bool is_space_before(std::string_view text, std::size_t at) {
  return is_space_at(text, before(text, at));
}

bool is_word_before(std::string_view text, std::size_t at) {
  return at > 0 && unicode::is_word(character_at(text, before(text, at)));
}

bool is_word_at(std::string_view text, std::size_t at) {
  return at < text.size() && unicode::is_word(character_at(text, at));
}

}  // namespace

AddedTokens::AddedTokens(const std::vector<Place>& places, const Normalizer& normalizer) {
  for (const Place& place : places) {
    AddedToken token{.id = place.number("id"),
                     .content = place.text("content"),
                     .alone = place.flag("single_word", false),
                     .left = place.flag("lstrip", false),
                     .right = place.flag("rstrip", false),
                     .normalized = place.flag("normalized", !place.flag("special", false))};
    if (token.content.empty()) place.fail("an added token without content");
    const std::string wanted =
        token.normalized && normalizer != nullptr ? normalizer(token.content) : token.content;
    if (!wanted.empty()) wanted_[token.normalized].try_emplace(wanted, tokens_.size());
    longest_[token.normalized] = std::max(longest_[token.normalized], wanted.size());
    tokens_.push_back(std::move(token));
  }
}

// The longest token that stands at a place; null: none does.
const AddedToken* AddedTokens::at(std::string_view text, std::size_t place, bool normalized,
                                  std::size_t& length) const {
  const auto& wanted = wanted_[normalized];
  const std::string_view rest = text.substr(place, longest_[normalized]);
  // What is not greater than the rest, the largest first: the longest prefix comes before shorter
  // ones, but others may stand between.
  for (auto it = wanted.upper_bound(rest); it != wanted.begin();) {
    --it;
    if (rest.starts_with(it->first)) {
      length = it->first.size();
      return &tokens_[it->second];
    }
    if (it->first.empty() || it->first.front() != rest.front()) break;
  }
  return nullptr;
}

std::vector<AddedTokens::Part> AddedTokens::cut(std::string_view text, bool normalized) const {
  std::vector<Part> parts;
  std::size_t begin = 0;
  const auto put_text = [&](std::size_t end) {
    if (begin < end) parts.push_back({std::string(text.substr(begin, end - begin)), {}, begin});
  };
  for (std::size_t place = 0; place < text.size() && !wanted_[normalized].empty();) {
    std::size_t length = 0;
    const AddedToken* token = at(text, place, normalized, length);
    std::size_t first = place, last = place + length;
    place += std::max<std::size_t>(length, 1);
    if (token == nullptr) continue;
    if (token->alone && (is_word_before(text, first) || is_word_at(text, last))) continue;
    while (token->left && first > begin && is_space_before(text, first))
      first = before(text, first);
    while (token->right && last < text.size() && is_space_at(text, last)) last = behind(text, last);
    put_text(first);
    parts.push_back({"", token->id, first});
    begin = last;  // a token in the white space that this one takes is found all the same
  }
  put_text(text.size());
  return parts;
}

std::optional<std::int64_t> AddedTokens::find(std::string_view content) const {
  for (const AddedToken& token : tokens_)
    if (token.content == content) return token.id;
  return std::nullopt;
}

}  // namespace intaglio
