// What somebody meant who mistyped a name.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace intaglio {

// The name with the least edit distance (insertions, deletions, substitutions), if it is at most a
// third of the word's length, rounded up; empty otherwise. The first one among equals.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

// "Did you mean 'entropy'? Known: minmax, entropy."
std::string suggestion(std::string_view word, std::span<const std::string_view> names);

}  // namespace intaglio
