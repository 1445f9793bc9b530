// The alphabet of byte-level vocabularies: a printable character for each of the 256 bytes, itself
// where it is printable Latin-1, else one from U+0100 on (Radford et al. 2019, GPT-2).
#pragma once

#include <string>
#include <string_view>

namespace intaglio {

std::string bytes_as_characters(std::string_view text);

}  // namespace intaglio
