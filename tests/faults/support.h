// What the fault tests share: the demo model, and the program started from a shell that takes
// something away from it first.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio::testing {

// Sanitizers need an address space without limits, and handlers of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// The arguments of a short quantization of the demo to out.
std::string quick(const std::filesystem::path& out);

// A script for bash; "$0" is the program.
Ran shell(const std::string& script);

// The names in a folder, sorted.
std::vector<std::string> names_in(const std::filesystem::path& folder);

// How often a text holds words.
std::size_t count_of(const std::string& text, const std::string& words);

}  // namespace intaglio::testing
