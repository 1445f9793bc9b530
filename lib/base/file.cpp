#include "lib/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/io_error.h"
#include "lib/base/mapped_files.h"

namespace intaglio {
namespace {

constexpr std::uint64_t few_bytes = 64 << 10;  // copying them costs no more than a map

// A regular file that is open for reading.
struct Source {
  const std::filesystem::path& path;
  int fd = -1;
  std::uint64_t size = 0;

  explicit Source(const std::filesystem::path& p) : path(p) {
    // Without O_NONBLOCK, opening a pipe would wait for a writer instead of being refused below.
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) throw io_error(path, "cannot open", errno);
    struct stat info {};
    const bool known = ::fstat(fd, &info) == 0;
    if (known && S_ISREG(info.st_mode)) {
      size = static_cast<std::uint64_t>(info.st_size);
      return;
    }
    const int error = known ? EISDIR : errno;
    ::close(fd);
    if (!known || S_ISDIR(info.st_mode)) throw io_error(path, "cannot read", error);
    throw Error(Code::io, path.string() + ": not a regular file", "Give a regular file.");
  }
  ~Source() { ::close(fd); }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  void copy(std::uint64_t offset, std::size_t count, std::byte* to) const {
    for (std::size_t done = 0; done < count;) {
      const ssize_t got = ::pread(fd, to + done, count - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw io_error(path, "cannot read", errno);
      if (got == 0)
        throw Error(Code::io, path.string() + ": the file changed while it was read",
                    "Run again when nobody writes to it.");
      done += static_cast<std::size_t>(got);
    }
  }
};

MappedBytes copied(const Source& file, std::uint64_t offset, std::size_t count) {
  const std::shared_ptr<std::byte[]> bytes(new std::byte[count]);
  file.copy(offset, count, bytes.get());
  return {{bytes, bytes.get()}, count};
}

MappedBytes mapped(const Source& file, std::uint64_t offset, std::size_t count) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t start = offset / page * page;
  const std::size_t span = count + (offset - start);
  void* base = ::mmap(nullptr, span, PROT_READ, MAP_PRIVATE, file.fd, static_cast<off_t>(start));
  if (base == MAP_FAILED && errno == ENODEV) return copied(file, offset, count);
  if (base == MAP_FAILED) throw io_error(file.path, "cannot map", errno);
  const auto map = own_map(base, span, file.path);
  return {{map, map.get() + (offset - start)}, count};
}

}  // namespace

MappedBytes map_file(const std::filesystem::path& path, std::uint64_t offset, std::int64_t length) {
  const Source file(path);
  const std::uint64_t wanted =
      length >= 0 ? static_cast<std::uint64_t>(length) : file.size - std::min(offset, file.size);
  if (offset > file.size || wanted > file.size - offset)
    throw Error(Code::io,
                fmt::format("{}: too short: {} bytes wanted at offset {}, the file has {}",
                            path.string(), wanted, offset, file.size),
                "The file is truncated; copy or export it again.");
  if (wanted == 0) return {};
  return wanted <= few_bytes ? copied(file, offset, wanted) : mapped(file, offset, wanted);
}

std::string read_file(const std::filesystem::path& path) {
  const Source file(path);
  std::string text(file.size, '\0');
  file.copy(0, text.size(), reinterpret_cast<std::byte*>(text.data()));
  return text;
}

}  // namespace intaglio
