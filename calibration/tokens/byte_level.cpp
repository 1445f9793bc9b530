#include "calibration/tokens/byte_level.h"

#include <array>

#include "calibration/tokens/unicode.h"

namespace intaglio {
namespace {

bool is_printable(char32_t byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
}

std::array<std::string, 256> make_alphabet() {
  std::array<std::string, 256> alphabet;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < alphabet.size(); ++byte)
    unicode::append(alphabet[byte], is_printable(byte) ? byte : next++);
  return alphabet;
}

}  // namespace

std::string bytes_as_characters(std::string_view text) {
  static const std::array<std::string, 256> alphabet = make_alphabet();
  std::string out;
  for (const char c : text) out += alphabet[static_cast<unsigned char>(c)];
  return out;
}

}  // namespace intaglio
