#include "calibration/tokens/regex.h"

#include <unicode/uregex.h>
#include <unicode/utext.h>

#include <fmt/format.h>

#include "lib/base/error.h"

namespace intaglio {
namespace {

// In ICU's units, some thousands of steps each: minutes where a match takes microseconds.
constexpr std::int32_t most_time = 100'000;

struct Closer {
  void operator()(UText* text) const { utext_close(text); }
  void operator()(URegularExpression* regex) const { uregex_close(regex); }
};
using OpenText = std::unique_ptr<UText, Closer>;
using OpenRegex = std::unique_ptr<URegularExpression, Closer>;

OpenText open(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  OpenText open(
      utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status));
  if (U_FAILURE(status))
    throw Error(Code::internal, fmt::format("a text: ICU says {}", u_errorName(status)));
  return open;
}

}  // namespace

struct Regex::Compiled {
  OpenRegex regex;
};

Regex::Regex(std::string pattern)
    : pattern_(std::move(pattern)), compiled_(std::make_unique<Compiled>()) {
  UErrorCode status = U_ZERO_ERROR;
  UParseError where{};
  const OpenText text = open(pattern_);
  compiled_->regex.reset(uregex_openUText(text.get(), 0, &where, &status));
  if (U_FAILURE(status))
    throw Error(Code::unsupported, fmt::format("the regular expression '{}': {} at character {}",
                                               pattern_, u_errorName(status), where.offset));
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;

std::vector<Span> Regex::matches(std::string_view text) const {
  std::vector<Span> found;
  if (text.empty()) return found;
  UErrorCode status = U_ZERO_ERROR;
  const OpenRegex regex(uregex_clone(compiled_->regex.get(), &status));  // it keeps its place
  const OpenText open_text = open(text);
  uregex_setTimeLimit(regex.get(), most_time, &status);
  uregex_setUText(regex.get(), open_text.get(), &status);
  while (U_SUCCESS(status) && uregex_findNext(regex.get(), &status)) {
    const auto first = uregex_start64(regex.get(), 0, &status);
    const auto last = uregex_end64(regex.get(), 0, &status);
    if (U_SUCCESS(status) && first < last)
      found.push_back({static_cast<std::size_t>(first), static_cast<std::size_t>(last)});
  }
  if (U_FAILURE(status))
    throw Error(Code::data,
                fmt::format("the regular expression '{}' does not get through a piece of {} bytes: "
                            "{}",
                            pattern_, text.size(), u_errorName(status)),
                "Give text without such long runs, or ids as .npy or .npz.");
  return found;
}

std::string quoted_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c)))
      out += '\\';
    out += c;
  }
  return out;
}

}  // namespace intaglio
