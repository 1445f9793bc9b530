#include "calibration/tokens/unicode.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <fmt/format.h>

#include <array>
#include <limits>
#include <vector>

#include "lib/base/error.h"

namespace intaglio::unicode {
namespace {

void require_success(UErrorCode status, std::string_view doing) {
  if (U_FAILURE(status))
    throw Error(Code::internal, fmt::format("{}: ICU says {}", doing, u_errorName(status)));
}

std::int32_t length_of(std::size_t units) {
  if (units > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / 8))
    throw Error(Code::unsupported, fmt::format("a text of {} bytes in one piece", units),
                "Cut it into several files.");
  return static_cast<std::int32_t>(units);
}

std::u16string utf16(std::string_view text) {
  std::u16string out;
  out.reserve(text.size());
  std::array<char16_t, 2> units;
  for (const char32_t c : characters(text)) {
    std::size_t n = 0;
    U16_APPEND_UNSAFE(units.data(), n, c);
    out.append(units.data(), n);
  }
  return out;
}

std::string utf8(std::u16string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    UChar32 c;
    U16_NEXT(text.data(), i, text.size(), c);
    append(out, static_cast<char32_t>(c));
  }
  return out;
}

const UNormalizer2& normalizer(Form form) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* found = nullptr;
  switch (form) {
    case Form::nfc:
      found = unorm2_getNFCInstance(&status);
      break;
    case Form::nfd:
      found = unorm2_getNFDInstance(&status);
      break;
    case Form::nfkc:
      found = unorm2_getNFKCInstance(&status);
      break;
    case Form::nfkd:
      found = unorm2_getNFKDInstance(&status);
      break;
  }
  require_success(status, "normal forms of Unicode");
  return *found;
}

std::uint32_t category(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }

}  // namespace

std::optional<std::size_t> first_fault(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t at = i;
    UChar32 c;
    U8_NEXT(text.data(), i, text.size(), c);
    if (c < 0) return at;
  }
  return std::nullopt;
}

std::u32string characters(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    UChar32 c;
    U8_NEXT(text.data(), i, text.size(), c);
    out += static_cast<char32_t>(c);
  }
  return out;
}

void append(std::string& text, char32_t character) {
  std::array<char, U8_MAX_LENGTH> bytes;
  std::size_t n = 0;
  U8_APPEND_UNSAFE(bytes.data(), n, static_cast<UChar32>(character));
  text.append(bytes.data(), n);
}

std::string text_of(std::u32string_view characters) {
  std::string out;
  for (const char32_t c : characters) append(out, c);
  return out;
}

bool is_mark(char32_t c) { return (category(c) & U_GC_M_MASK) != 0; }
bool is_nonspacing_mark(char32_t c) { return (category(c) & U_GC_MN_MASK) != 0; }
bool is_number(char32_t c) { return (category(c) & U_GC_N_MASK) != 0; }
bool is_punctuation(char32_t c) { return (category(c) & U_GC_P_MASK) != 0; }
bool is_other(char32_t c) {
  return (category(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0;
}
bool is_word(char32_t c) {
  return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_ALPHABETIC) ||
         (category(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}
bool is_space(char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0; }

std::string lowercase(std::string_view text) {
  std::string out;
  std::array<char16_t, 2> from;
  std::array<char16_t, 8> to;  // no character becomes more than three
  for (const char32_t c : characters(text)) {
    std::int32_t n = 0;
    U16_APPEND_UNSAFE(from.data(), n, c);
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t length =
        u_strToLower(to.data(), static_cast<std::int32_t>(to.size()), from.data(), n, "", &status);
    require_success(status, "lower case");
    out += utf8({to.data(), static_cast<std::size_t>(length)});
  }
  return out;
}

std::string normalized(std::string_view text, Form form) {
  const std::u16string from = utf16(text);
  const std::int32_t length = length_of(from.size());
  const UNormalizer2& n = normalizer(form);
  UErrorCode status = U_ZERO_ERROR;
  std::u16string to(from.size() + 16, u'\0');
  std::int32_t size =
      unorm2_normalize(&n, from.data(), length, to.data(), length_of(to.size()), &status);
  if (status == U_BUFFER_OVERFLOW_ERROR) {
    status = U_ZERO_ERROR;
    to.resize(static_cast<std::size_t>(size));
    size = unorm2_normalize(&n, from.data(), length, to.data(), size, &status);
  }
  if (status == U_STRING_NOT_TERMINATED_WARNING) status = U_ZERO_ERROR;
  require_success(status, "normal forms of Unicode");
  return utf8({to.data(), static_cast<std::size_t>(size)});
}

}  // namespace intaglio::unicode
