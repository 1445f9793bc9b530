#include "lib/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/base/error.h"

namespace intaglio {
namespace {

Error io_error(const std::filesystem::path& path, std::string_view what, int error) {
  std::string remedy;
  switch (error) {
    case ENOENT:
      remedy = "Check the path and that its folder exists.";
      break;
    case EACCES:
    case EROFS:
    case EPERM:
      remedy = "Check the permissions, or choose another folder.";
      break;
    case ENOSPC:
    case EDQUOT:
      remedy = "Free some space, or choose another folder.";
      break;
    case EISDIR:
      remedy = "Give a file, not a folder.";
      break;
    case ENOTDIR:
      remedy = "A part of the path is a file, not a folder.";
      break;
    default:
      remedy = "Check the path and the file system.";
  }
  return Error(Code::io, fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)),
               remedy);
}

// Paths of unfinished files, readable from a signal handler: fixed slots, no allocation there.
constexpr std::size_t max_temporary_files = 16;
std::array<std::atomic<const char*>, max_temporary_files> temporary_files{};

void remember(const char* path) {
  for (auto& slot : temporary_files) {
    const char* expected = nullptr;
    if (slot.compare_exchange_strong(expected, path)) return;
  }
}

void forget(const char* path) {
  for (auto& slot : temporary_files) {
    const char* expected = path;
    if (slot.compare_exchange_strong(expected, nullptr)) return;
  }
}

bool is_device_or_pipe(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

// The path that opening a link for writing would create; not canonical(), which wants it to exist.
std::filesystem::path behind_symlinks(std::filesystem::path path) {
  std::error_code failed;
  for (int depth = 0; depth < 40 && std::filesystem::is_symlink(path, failed); ++depth)
    path = path.parent_path() / std::filesystem::read_symlink(path, failed);
  return path;
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

MappedBytes map_file(const std::filesystem::path& path, std::uint64_t offset, std::int64_t length) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer instead of being refused below.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) throw io_error(path, "cannot open", errno);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) throw io_error(path, "cannot read", errno);
  if (S_ISDIR(info.st_mode)) throw io_error(path, "cannot read", EISDIR);
  if (!S_ISREG(info.st_mode))
    throw Error(Code::io, path.string() + ": not a regular file", "Give a regular file.");
  const auto file_size = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t wanted =
      length >= 0 ? static_cast<std::uint64_t>(length) : file_size - std::min(offset, file_size);
  if (offset > file_size || wanted > file_size - offset)
    throw Error(Code::io,
                fmt::format("{}: too short: {} bytes wanted at offset {}, the file has {}",
                            path.string(), wanted, offset, file_size),
                "The file is truncated; copy or export it again.");
  if (wanted == 0) return {};
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t start = offset / page * page;
  const std::size_t span = wanted + (offset - start);
  void* base = ::mmap(nullptr, span, PROT_READ, MAP_PRIVATE, file.fd, static_cast<off_t>(start));
  if (base == MAP_FAILED) throw io_error(path, "cannot map", errno);
  const std::shared_ptr<const std::byte> map(
      static_cast<const std::byte*>(base),
      [span](const std::byte* p) { ::munmap(const_cast<std::byte*>(p), span); });
  return {{map, map.get() + (offset - start)}, wanted};
}

std::string read_file(const std::filesystem::path& path) {
  const MappedBytes bytes = map_file(path);
  return {reinterpret_cast<const char*>(bytes.data.get()), bytes.size};
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) throw io_error(path_, "cannot write", EISDIR);
  if (!is_device_or_pipe(path_)) {
    target_ = behind_symlinks(path_);
    temporary_ = target_.string() + ".tmp-" + std::to_string(::getpid());
  }
  file_ = std::fopen(temporary_.empty() ? path_.c_str() : temporary_.c_str(), "wbe");
  if (file_ == nullptr) throw io_error(path_, "cannot write", errno);
  if (!temporary_.empty()) remember(temporary_.c_str());
}

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
    forget(temporary_.c_str());
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail("cannot write");
  size_ += bytes.size();
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::finish() {
  if (file_ == nullptr) return;
  if (std::fflush(file_) != 0) fail("cannot write");
  if (!temporary_.empty() && ::fsync(::fileno(file_)) != 0) fail("cannot write");
  const int closed = std::fclose(std::exchange(file_, nullptr));
  if (closed != 0) fail("cannot write");
}

void AtomicFile::commit() {
  finish();
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot write");
  forget(temporary_.c_str());
  temporary_.clear();
}

void AtomicFile::fail(const char* what) const { throw io_error(path_, what, errno); }

void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void remove_temporary_files() noexcept {
  for (auto& slot : temporary_files)
    if (const char* path = slot.exchange(nullptr)) ::unlink(path);
}

void require_writable(const std::filesystem::path& path) {
  if (!is_device_or_pipe(path)) {
    const AtomicFile probe(path);
  } else if (::access(path.c_str(), W_OK) != 0) {  // opening a pipe would already be an end of file
    throw io_error(path, "cannot write", errno);
  }
}

}  // namespace intaglio
