// What the system says of a file, as an error with a remedy.
#pragma once

#include <filesystem>
#include <string_view>

#include "lib/base/error.h"

namespace intaglio {

// Code::io: "<path>: <what>: <reason>". error: a value of errno. Where the system has no memory for
// it, Code::unsupported, as everywhere.
Error io_error(const std::filesystem::path& path, std::string_view what, int error);

}  // namespace intaglio
