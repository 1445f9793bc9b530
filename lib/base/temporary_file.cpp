#include "lib/base/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "lib/base/io_error.h"
#include "lib/base/signal_list.h"

namespace intaglio {

struct NotedPath {
  std::atomic<bool> live{false};
  std::array<char, PATH_MAX> text{};
};

namespace {

constexpr std::size_t longest_stem = 200;  // names end at 255 bytes; the suffix has 17

using NotedPaths = SignalList<NotedPath>;

std::string random_name(const std::filesystem::path& target) {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) bits = std::random_device()();
  return fmt::format("{}.tmp-{:012x}", target.filename().string().substr(0, longest_stem),
                     bits & 0xffff'ffff'ffff);
}

bool cannot_sync(int error) { return error == EINVAL || error == ENOTSUP || error == EROFS; }

}  // namespace

TemporaryFile::TemporaryFile(const std::filesystem::path& target,
                             const std::filesystem::path& shown)
    : noted_(&NotedPaths::all().take()) {
  int error = EEXIST;
  for (int attempt = 0; attempt < 100 && error == EEXIST; ++attempt) {
    const std::string path = (target.parent_path() / random_name(target)).string();
    error = path.size() < noted_->text.size() ? 0 : ENAMETOOLONG;
    if (error != 0) break;
    std::memcpy(noted_->text.data(), path.c_str(), path.size() + 1);
    noted_->live = true;
    // Exclusive: not what somebody else put there, and not through a link.
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    error = fd_ < 0 ? errno : 0;
    if (error != 0) noted_->live = false;
  }
  if (error == 0) return;
  NotedPaths::all().give_back(*noted_);
  throw io_error(shown, "cannot write", error);
}

TemporaryFile::~TemporaryFile() {
  close();
  if (noted_->live) ::unlink(path());
  noted_->live = false;
  NotedPaths::all().give_back(*noted_);
}

const char* TemporaryFile::path() const { return noted_->text.data(); }

// In this order: a change of the owner takes bits of the mode away.
void TemporaryFile::take_after(const struct stat& other) {
  struct stat own {};
  if (::fstat(fd_, &own) != 0) return;
  if (own.st_uid != other.st_uid) static_cast<void>(::fchown(fd_, other.st_uid, gid_t(-1)) == 0);
  if (own.st_gid != other.st_gid) static_cast<void>(::fchown(fd_, uid_t(-1), other.st_gid) == 0);
  static_cast<void>(::fchmod(fd_, other.st_mode & 0777) == 0);
}

int TemporaryFile::sync() { return ::fsync(fd_) == 0 || cannot_sync(errno) ? 0 : errno; }

int TemporaryFile::close() {
  const int fd = std::exchange(fd_, -1);
  return fd < 0 || ::close(fd) == 0 ? 0 : errno;
}

int TemporaryFile::rename_to(const std::filesystem::path& target) {
  if (std::rename(path(), target.c_str()) != 0) return errno;
  noted_->live = false;
  return 0;
}

void remove_temporary_files() noexcept {
  NotedPaths::for_all([](NotedPath& noted) {
    if (noted.live.exchange(false)) ::unlink(noted.text.data());
  });
}

int sync_folder(const std::filesystem::path& folder) {
  const char* path = folder.empty() ? "." : folder.c_str();
  const int fd = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return 0;  // a folder that may be written, but not read
  const int error = ::fsync(fd) == 0 || cannot_sync(errno) ? 0 : errno;
  ::close(fd);
  return error;
}

}  // namespace intaglio
