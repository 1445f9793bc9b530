// Text within markup.
#pragma once

#include <string>
#include <string_view>

namespace intaglio {

// Text for the content of elements and for values of attributes in quotes, of HTML and XML. The
// names in a model are those of a stranger: what markup gives a meaning becomes a reference, bytes
// that are not UTF-8 and characters that XML forbids become U+FFFD.
std::string escaped(std::string_view text);

}  // namespace intaglio
