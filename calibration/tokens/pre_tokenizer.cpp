#include "calibration/tokens/pre_tokenizer.h"

#include <array>
#include <memory>
#include <utility>

#include "calibration/tokens/byte_level.h"
#include "calibration/tokens/pattern.h"
#include "calibration/tokens/unicode.h"
#include "lib/base/words.h"

namespace intaglio {
namespace {

// What becomes of a match.
enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };
constexpr std::array<Word<Behavior>, 5> words(Behavior) {
  return {{{"Removed", Behavior::removed},
           {"Isolated", Behavior::isolated},
           {"MergedWithPrevious", Behavior::merged_with_previous},
           {"MergedWithNext", Behavior::merged_with_next},
           {"Contiguous", Behavior::contiguous}}};
}

Behavior behavior_of(const Place& place, Behavior fallback) {
  const std::string word = place.text("behavior", word_of(fallback));
  if (const auto behavior = value_of<Behavior>(word)) return *behavior;
  place.refuse("behavior " + word);
}

struct Part {
  Span span;
  bool match;
};

// All of a text: matches, and what lies between them.
std::vector<Part> parts_of(std::size_t size, const std::vector<Span>& matches, bool invert) {
  std::vector<Part> parts;
  std::size_t at = 0;
  for (const Span& span : matches) {
    if (at < span.first) parts.push_back({{at, span.first}, invert});
    parts.push_back({span, !invert});
    at = span.last;
  }
  if (at < size) parts.push_back({{at, size}, invert});
  return parts;
}

// A match joins what stands on one side of it, unless that is a match, too.
std::vector<Span> merged(std::vector<Part> parts, bool with_next) {
  if (with_next) std::reverse(parts.begin(), parts.end());
  std::vector<Span> spans;
  bool after_match = false;
  for (const Part& part : parts) {
    if (part.match && !after_match && !spans.empty())
      (with_next ? spans.back().first : spans.back().last) =
          with_next ? part.span.first : part.span.last;
    else
      spans.push_back(part.span);
    after_match = part.match;
  }
  if (with_next) std::reverse(spans.begin(), spans.end());
  return spans;
}

std::vector<Span> spans_of(const std::vector<Part>& parts, Behavior behavior) {
  if (behavior == Behavior::merged_with_previous || behavior == Behavior::merged_with_next)
    return merged(parts, behavior == Behavior::merged_with_next);
  std::vector<Span> spans;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (behavior == Behavior::contiguous && i > 0 && parts[i].match == parts[i - 1].match)
      spans.back().last = parts[i].span.last;
    else if (behavior != Behavior::removed || !parts[i].match)
      spans.push_back(parts[i].span);
  return spans;
}

template <typename Matches>
PreTokenizer splitter(Matches matches, Behavior behavior, bool invert = false) {
  return [matches, behavior, invert](const std::vector<Piece>& pieces) {
    std::vector<Piece> cut;
    for (const Piece& piece : pieces)
      for (const Span& span :
           spans_of(parts_of(piece.text.size(), matches(piece.text), invert), behavior))
        cut.push_back({piece.text.substr(span.first, span.last - span.first),
                       piece.first && span.first == 0});
    return cut;
  };
}

// Every character of a kind is a match of its own.
template <typename Is>
auto characters_that(Is is) {
  return [is](std::string_view text) {
    std::vector<Span> spans;
    std::size_t at = 0;
    for (const char32_t c : unicode::characters(text)) {
      const std::size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      if (is(c)) spans.push_back({at, at + length});
      at += length;
    }
    return spans;
  };
}

bool is_mark_of_bert(char32_t c) {
  const bool ascii = c > 0x20 && c < 0x7f && !std::isalnum(static_cast<int>(c));
  return ascii || unicode::is_punctuation(c);
}

PreTokenizer in_turn(std::vector<PreTokenizer> steps) {
  return [steps = std::move(steps)](std::vector<Piece> pieces) {
    for (const PreTokenizer& step : steps) pieces = step(std::move(pieces));
    return pieces;
  };
}

PreTokenizer make_split(const Place& place) {
  const auto pattern = std::make_shared<const Pattern>(place.at("pattern"));
  return splitter([pattern](std::string_view text) { return pattern->matches(text); },
                  behavior_of(place, Behavior::isolated), place.flag("invert", false));
}

auto matches_of(const std::string& pattern) {
  return [regex = std::make_shared<const Regex>(pattern)](std::string_view text) {
    return regex->matches(text);
  };
}

// Contractions, letters, numbers, others, each with the space before them (Radford et al. 2019).
constexpr const char* words_of_gpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

PreTokenizer make_byte_level(const Place& place) {
  std::vector<PreTokenizer> steps;
  if (place.flag("add_prefix_space", true))
    steps.push_back([](std::vector<Piece> pieces) {
      for (Piece& piece : pieces)
        if (!piece.text.starts_with(' ')) piece.text.insert(piece.text.begin(), ' ');
      return pieces;
    });
  if (place.flag("use_regex", true))
    steps.push_back(splitter(matches_of(words_of_gpt2), Behavior::isolated));
  steps.push_back([](std::vector<Piece> pieces) {
    for (Piece& piece : pieces) piece.text = bytes_as_characters(piece.text);
    return pieces;
  });
  return in_turn(std::move(steps));
}

// Spaces become a character, each of which begins a word.
PreTokenizer make_metaspace(const Place& place) {
  const std::string mark = place.text("replacement", "\u2581");
  const std::string scheme =
      place.text("prepend_scheme", place.flag("add_prefix_space", true) ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never")
    place.refuse("prepend_scheme " + scheme);
  const auto marked = [mark, scheme](std::vector<Piece> pieces) {
    for (Piece& piece : pieces) {
      std::string text;
      for (const char c : piece.text) text += c == ' ' ? mark : std::string(1, c);
      const bool wanted = scheme == "always" || (scheme == "first" && piece.first);
      piece.text = wanted && !text.starts_with(mark) ? mark + text : text;
    }
    return pieces;
  };
  if (!place.flag("split", true)) return marked;
  return in_turn({marked, splitter(matches_of(quoted_pattern(mark)), Behavior::merged_with_next)});
}

PreTokenizer make_sequence(const Place& place) {
  std::vector<PreTokenizer> steps;
  for (const Place& step : place.list("pretokenizers")) steps.push_back(make_pre_tokenizer(step));
  return in_turn(std::move(steps));
}

PreTokenizer make_whitespace() {
  return splitter(matches_of(R"(\w+|[^\w\s]+)"), Behavior::removed, /*invert=*/true);
}

}  // namespace

PreTokenizer make_pre_tokenizer(const Place& place) {
  const std::string type = place.type();
  const auto at_spaces = splitter(characters_that(unicode::is_space), Behavior::removed);
  if (type == "Sequence") return make_sequence(place);
  if (type == "BertPreTokenizer")
    return in_turn({at_spaces, splitter(characters_that(is_mark_of_bert), Behavior::isolated)});
  if (type == "ByteLevel") return make_byte_level(place);
  if (type == "Digits")
    return splitter(characters_that(unicode::is_number), place.flag("individual_digits", false)
                                                             ? Behavior::isolated
                                                             : Behavior::contiguous);
  if (type == "Metaspace") return make_metaspace(place);
  if (type == "Punctuation")
    return splitter(characters_that(is_mark_of_bert), behavior_of(place, Behavior::isolated));
  if (type == "Split") return make_split(place);
  if (type == "Whitespace") return make_whitespace();
  if (type == "WhitespaceSplit") return at_spaces;
  if (type == "CharDelimiterSplit") {
    const std::u32string delimiter = unicode::characters(place.text("delimiter"));
    return splitter(
        characters_that([delimiter](char32_t c) { return delimiter == std::u32string(1, c); }),
        Behavior::removed);
  }
  place.refuse("pre-tokenizer " + type);
}

}  // namespace intaglio
