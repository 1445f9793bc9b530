#include "lib/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lib/base/io_error.h"

namespace intaglio {
namespace {

constexpr int most_links = 40;  // as many as the system follows

bool is_device_or_pipe(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

// A file that may not be written is not replaced either, though the system would permit that.
bool may_be_written(const std::filesystem::path& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

}  // namespace

std::filesystem::path behind_links(const std::filesystem::path& path) {
  std::filesystem::path at = path;
  for (int depth = 0; depth <= most_links; ++depth) {
    std::error_code failed;
    if (!std::filesystem::is_symlink(at, failed)) return at;
    at = at.parent_path() / std::filesystem::read_symlink(at, failed);
  }
  throw io_error(path, "cannot write", ELOOP);
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  if (is_device_or_pipe(path_)) {
    in_place_ = ::open(path_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    if (in_place_ < 0) fail(errno);
    return;
  }
  target_ = behind_links(path_);
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  if (!replaces && errno != ENOENT) fail(errno);  // a name that is too long, too
  if (replaces && S_ISDIR(old.st_mode)) fail(EISDIR);
  if (replaces && !may_be_written(target_)) fail(errno);
  temporary_ = std::make_unique<TemporaryFile>(target_, path_);
  if (replaces) temporary_->take_after(old);
}

AtomicFile::~AtomicFile() {
  if (in_place_ >= 0) ::close(in_place_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  const int fd = temporary_ ? temporary_->descriptor() : in_place_;
  for (std::span<const std::byte> left = bytes; !left.empty();) {
    const ssize_t written = ::write(fd, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(written < 0 ? errno : EIO);
    left = left.subspan(static_cast<std::size_t>(written));
  }
  size_ += bytes.size();
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

std::filesystem::path AtomicFile::written_at() const {
  return temporary_ ? std::filesystem::path(temporary_->path()) : path_;
}

void AtomicFile::finish() {
  if (std::exchange(finished_, true)) return;
  if (temporary_) {
    if (const int error = temporary_->sync()) fail(error);
    if (const int error = temporary_->close()) fail(error);
  } else if (::close(std::exchange(in_place_, -1)) != 0) {
    fail(errno);
  }
}

void AtomicFile::commit() {
  finish();
  if (!temporary_) return;
  if (const int error = temporary_->rename_to(target_)) fail(error);
  temporary_.reset();
  if (const int error = sync_folder(target_.parent_path())) fail(error);
}

void AtomicFile::fail(int error) const { throw io_error(path_, "cannot write", error); }

void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void require_writable(const std::filesystem::path& path) {
  if (!is_device_or_pipe(path)) {
    const AtomicFile probe(path);
  } else if (!may_be_written(path)) {  // opening a pipe would already be an end of file
    throw io_error(path, "cannot write", errno);
  }
}

}  // namespace intaglio
