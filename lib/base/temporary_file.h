// A file under a name that nobody can guess, which is gone when it is not kept.
#pragma once

#include <sys/stat.h>

#include <filesystem>

namespace intaglio {

struct NotedPath;

// "<name>.tmp-<12 hex digits>" beside a target: made exclusively (whatever stands there is neither
// opened nor followed), of the mode that new files get, and removed by the destructor. Its path is
// noted before it exists, for remove_temporary_files().
class TemporaryFile {
 public:
  // Throws Code::io, naming `shown` for the target.
  TemporaryFile(const std::filesystem::path& target, const std::filesystem::path& shown);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int descriptor() const { return fd_; }  // open for writing, until close()
  const char* path() const;

  // The mode of another file, and its owner and group as far as the system permits.
  void take_after(const struct stat& other);

  // These return 0 or what errno says.
  int sync();  // to the disk; file systems that cannot do it count as done
  int close();
  int rename_to(const std::filesystem::path& target);  // then there is nothing left to remove

 private:
  NotedPath* noted_;
  int fd_ = -1;
};

// Removes those of all live TemporaryFiles; async-signal-safe, for a process that ends at once.
void remove_temporary_files() noexcept;

// Flushes the names in a folder to the disk, as far as the file system can; 0 or errno.
int sync_folder(const std::filesystem::path& folder);

}  // namespace intaglio
