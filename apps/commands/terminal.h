// What the terminal behind a channel can do, if there is one.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace intaglio {

bool is_terminal(std::FILE* channel);

// Columns of text: $COLUMNS, else those of the terminal, else 80.
std::size_t columns_of(std::FILE* channel);

// A terminal that is not dumb ($TERM), and a user who does not mind ($NO_COLOR is not there, or
// empty).
bool takes_colour(std::FILE* channel);

enum class Colour { red, green, yellow };

// The text in bold and in this colour where the channel takes colours, else as it is.
std::string painted(std::FILE* channel, Colour colour, std::string_view text);

}  // namespace intaglio
