#include "apps/report/escaped.h"

#include <string_view>

#include "lib/base/json.h"

namespace intaglio {
namespace {

std::string valid_utf8(std::string_view text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

// U+FFFE and U+FFFF, which are well-formed UTF-8 all the same.
std::string without_noncharacters(std::string text) {
  for (const std::string_view odd : {"\uFFFE", "\uFFFF"})
    for (std::size_t at; (at = text.find(odd)) != std::string::npos;)
      text.replace(at, odd.size(), "\uFFFD");
  return text;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : without_noncharacters(valid_utf8(text))) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const bool control = (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7f;
        control ? out += "\uFFFD" : out += c;
      }
    }
  }
  return out;
}

}  // namespace intaglio
