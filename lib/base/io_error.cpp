#include "lib/base/io_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace intaglio {
namespace {

std::string remedy_for(int error) {
  switch (error) {
    case ENOENT:
      return "Check the path and that its folder exists.";
    case EACCES:
    case EROFS:
    case EPERM:
      return "Check the permissions, or choose another folder.";
    case ENOSPC:
    case EDQUOT:
      return "Free some space, or choose another folder.";
    case EFBIG:
      return "Raise the limit of file sizes (ulimit -f), or choose another file system.";
    case EISDIR:
      return "Give a file, not a folder.";
    case ENOTDIR:
      return "A part of the path is a file, not a folder.";
    case ELOOP:
      return "A symbolic link leads back to itself; mend or remove it.";
    case ENOMEM:
      return "Free some memory, or raise the limit (ulimit -v).";
    case ENAMETOOLONG:
      return "Choose a shorter name.";
    default:
      return "Check the path and the file system.";
  }
}

}  // namespace

Error io_error(const std::filesystem::path& path, std::string_view what, int error) {
  return Error(error == ENOMEM ? Code::unsupported : Code::io,
               fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)),
               remedy_for(error));
}

}  // namespace intaglio
