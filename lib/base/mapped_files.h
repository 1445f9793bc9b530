// Which file is mapped at an address. When a mapped file is cut by somebody else, reading the pages
// that are gone raises SIGBUS; its handler tells by this whose fault it was.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

namespace intaglio {

// Takes over a map that mmap() made of the file, and unmaps it when the last pointer dies.
std::shared_ptr<const std::byte> own_map(void* base, std::size_t size,
                                         const std::filesystem::path& path);

// The path of the file that is mapped there; null: none is. Async-signal-safe. The text lives as
// long as the map does.
const char* mapped_file_at(const void* address) noexcept;

}  // namespace intaglio
