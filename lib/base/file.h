// Reading files: whole ones, and read-only maps. Writing: atomic_file.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "lib/base/atomic_file.h"

namespace intaglio {

// The whole file, copied. Throws Code::io with the system's reason, or when the file is cut while
// it is read.
std::string read_file(const std::filesystem::path& path);

// A read-only map of length bytes from offset; length < 0 means up to the end. The pages are shared
// with the page cache, so a file larger than memory can be read. The result keeps the map alive.
// Few bytes are copied instead, as are all where a file system knows no maps.
// Throws Code::io when the file cannot be opened or is shorter than offset + length. When somebody
// cuts the file later, reading what is gone raises SIGBUS (mapped_files.h).
struct MappedBytes {
  std::shared_ptr<const std::byte> data;
  std::size_t size = 0;
};
MappedBytes map_file(const std::filesystem::path& path, std::uint64_t offset = 0,
                     std::int64_t length = -1);

}  // namespace intaglio
