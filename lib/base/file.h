// Files: whole reads, read-only maps, and writes that appear all at once or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace intaglio {

// The whole file. Throws Code::io with the system's reason.
std::string read_file(const std::filesystem::path& path);

// A read-only map of length bytes from offset; length < 0 means up to the end. The pages are shared
// with the page cache, so a file larger than memory can be read. The result keeps the map alive.
// Throws Code::io when the file cannot be opened or is shorter than offset + length.
struct MappedBytes {
  std::shared_ptr<const std::byte> data;
  std::size_t size = 0;
};
MappedBytes map_file(const std::filesystem::path& path, std::uint64_t offset = 0,
                     std::int64_t length = -1);

// Writes "<path>.tmp-<pid>" and renames it to path in commit(). Without commit(), or when the
// process is interrupted, the temporary file is removed and an older file at path is left as it
// was. A symbolic link at path stays one; a device or a pipe (/dev/stdout) is written in place.
// Every failure (missing folder, read-only, disk full) is a Code::io error that names path.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  std::uint64_t size() const { return size_; }

  // Flushes to disk and closes without renaming; called by commit(). Use it to finish all files of
  // one result before the first of them becomes visible.
  void finish();
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_, target_;  // as given, for messages; behind symbolic links
  std::filesystem::path temporary_;      // empty: nothing to rename or to remove
  std::FILE* file_ = nullptr;
  std::uint64_t size_ = 0;
};

void write_file(const std::filesystem::path& path, std::string_view text);

// Removes the temporary files of all live AtomicFiles; async-signal-safe, for the last Ctrl-C.
void remove_temporary_files() noexcept;

// Throws Code::io unless a file can be created at path: to fail before hours of work, not after.
void require_writable(const std::filesystem::path& path);

}  // namespace intaglio
