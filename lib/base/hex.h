// Bytes as text: two lower-case digits each.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace intaglio {

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);  // nullopt: not such a text

}  // namespace intaglio
