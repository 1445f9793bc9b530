#include "calibration/tokens/normalizer.h"

#include <algorithm>
#include <memory>

#include "calibration/tokens/byte_level.h"
#include "calibration/tokens/pattern.h"
#include "calibration/tokens/unicode.h"

namespace intaglio {
namespace {

using unicode::Form;

template <typename F>
std::string without(std::string_view text, const F& goes) {
  std::string out;
  for (const char32_t c : unicode::characters(text))
    if (!goes(c)) unicode::append(out, c);
  return out;
}

std::string stripped(std::string_view text, bool left, bool right) {
  const std::u32string all = unicode::characters(text);
  std::u32string_view some = all;
  while (left && !some.empty() && unicode::is_space(some.front())) some.remove_prefix(1);
  while (right && !some.empty() && unicode::is_space(some.back())) some.remove_suffix(1);
  return unicode::text_of(some);
}

// --- BERT (Devlin et al. 2018) ---

// Controls go, except those that are line ends and tabs; whatever else is white becomes a space.
std::string cleaned(std::string_view text) {
  std::string out;
  for (const char32_t c : unicode::characters(text)) {
    const bool line = c == '\t' || c == '\n' || c == '\r';
    if (c == 0 || c == 0xfffd || (unicode::is_other(c) && !line)) continue;
    unicode::append(out, line || unicode::is_space(c) ? U' ' : c);
  }
  return out;
}

// The blocks of ideographs that have no spaces between words.
bool is_ideograph(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
         (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
         (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

std::string with_apart(std::string_view text) {
  std::string out;
  for (const char32_t c : unicode::characters(text)) {
    const bool apart = is_ideograph(c);
    if (apart) out += ' ';
    unicode::append(out, c);
    if (apart) out += ' ';
  }
  return out;
}

Normalizer make_bert(const Place& place) {
  const bool lowercase = place.flag("lowercase", true);
  const bool strip = place.flag("strip_accents", lowercase);
  return [lowercase, strip, clean = place.flag("clean_text", true),
          apart = place.flag("handle_chinese_chars", true)](std::string text) {
    if (clean) text = cleaned(text);
    if (apart) text = with_apart(text);
    if (strip) text = without(unicode::normalized(text, Form::nfd), unicode::is_nonspacing_mark);
    return lowercase ? unicode::lowercase(text) : text;
  };
}

// --- Others ---

Normalizer make_replace(const Place& place) {
  const auto pattern = std::make_shared<const Pattern>(place.at("pattern"));
  return [pattern, content = place.text("content")](std::string text) {
    std::string out;
    std::size_t at = 0;
    for (const Span& span : pattern->matches(text)) {
      out.append(text, at, span.first - at).append(content);
      at = span.last;
    }
    return out.append(text, at);
  };
}

Normalizer make_sequence(const Place& place) {
  std::vector<Normalizer> steps;
  for (const Place& step : place.list("normalizers")) steps.push_back(make_normalizer(step));
  return [steps](std::string text) {
    for (const Normalizer& step : steps) text = step(std::move(text));
    return text;
  };
}

Normalizer to_form(Form form) {
  return [form](const std::string& text) { return unicode::normalized(text, form); };
}

}  // namespace

Normalizer make_normalizer(const Place& place) {
  const std::string type = place.type();
  if (type == "Sequence") return make_sequence(place);
  if (type == "BertNormalizer") return make_bert(place);
  if (type == "ByteLevel") return bytes_as_characters;
  if (type == "Lowercase") return unicode::lowercase;
  if (type == "NFC") return to_form(Form::nfc);
  if (type == "NFD") return to_form(Form::nfd);
  if (type == "NFKC") return to_form(Form::nfkc);
  if (type == "NFKD") return to_form(Form::nfkd);
  if (type == "Replace") return make_replace(place);
  if (type == "Prepend")
    return [front = place.text("prepend")](std::string text) {
      return text.empty() ? text : front + text;
    };
  if (type == "Strip")
    return [left = place.flag("strip_left", true), right = place.flag("strip_right", true)](
               const std::string& text) { return stripped(text, left, right); };
  if (type == "StripAccents")
    return [](const std::string& text) { return without(text, unicode::is_mark); };
  place.refuse("normalizer " + type);
}

}  // namespace intaglio
