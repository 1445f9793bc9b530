// Bytes that are kept in a file instead of in memory, and may become a file of the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "lib/base/atomic_file.h"

namespace intaglio {

// The beginning of a file at a path that has not appeared yet. What keep() gave stays readable when
// the SpillFile is gone, whether the file appeared or not. One thread at a time.
class SpillFile {
 public:
  explicit SpillFile(const std::filesystem::path& path);

  // Appends the bytes, from a multiple of 4096 on, and maps them from the file. Throws Code::io, as
  // for a disk that is full.
  std::shared_ptr<const std::byte> keep(std::span<const std::byte> bytes);

  // Where bytes lie that keep() gave; nullopt: it did not.
  std::optional<std::uint64_t> offset_of(const std::byte* bytes) const;

  // The file, for more to be appended and for commit(); nothing may be kept afterwards.
  std::unique_ptr<AtomicFile> take() { return std::move(file_); }

 private:
  std::unique_ptr<AtomicFile> file_;
  std::map<const std::byte*, std::uint64_t> offsets_;
};

// Zeros up to a multiple of 4096: readers can map what follows on its own.
void align_for_maps(AtomicFile& file);

}  // namespace intaglio
