// Which file is mapped at an address. When a mapped file is cut by somebody else, reading the pages
// that are gone raises SIGBUS; its handler tells by this whose fault it was.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace intaglio {

// Takes over a map that mmap() made of the file, and unmaps it when the last pointer dies.
std::shared_ptr<const std::byte> own_map(void* base, std::size_t size,
                                         const std::filesystem::path& path);

// The path of the file that is mapped there; null: none is. Async-signal-safe. The text lives as
// long as the map does.
const char* mapped_file_at(const void* address) noexcept;

// Lets the system take the pages of a file map back that have been read and are not soon needed
// again: they stop counting as memory of this process, and come back from the file when they are
// read. What is not mapped from a file is left alone.
void give_back_pages(std::span<const std::byte> bytes) noexcept;

}  // namespace intaglio
