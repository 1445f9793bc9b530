// Writing files: they appear all at once or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "lib/base/temporary_file.h"

namespace intaglio {

// Writes a temporary file beside path (temporary_file.h) and renames it in commit(). Without
// commit(), or when the process is interrupted, the temporary file is removed and an older file at
// path is left as it was; a file that is replaced passes on its mode and, as far as the system
// permits, owner and group. A symbolic link at path stays one: what it leads to is replaced. A
// device or a pipe (/dev/stdout) is written in place.
// Every failure (missing folder, read-only file or folder, disk full) is a Code::io error that
// names path.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  std::uint64_t size() const { return size_; }

  // Where the bytes are to be read after finish() and before commit().
  std::filesystem::path written_at() const;

  // Flushes to disk and closes without renaming; called by commit(). Use it to finish all files of
  // one result before the first of them becomes visible.
  void finish();
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_, target_;       // as given, for messages; behind symbolic links
  std::unique_ptr<TemporaryFile> temporary_;  // null: written in place, or committed
  int in_place_ = -1;                         // the descriptor of a device or a pipe
  bool finished_ = false;
  std::uint64_t size_ = 0;
};

void write_file(const std::filesystem::path& path, std::string_view text);

// The path that writing to one replaces or creates: behind symbolic links, which need not lead to
// anything. Throws Code::io for a link that leads to itself.
std::filesystem::path behind_links(const std::filesystem::path& path);

// Throws Code::io unless a file can be created at path: to fail before hours of work, not after.
void require_writable(const std::filesystem::path& path);

}  // namespace intaglio
