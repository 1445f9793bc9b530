#include "apps/commands/print.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/base/error.h"

namespace intaglio {
namespace {

int first_failure = 0;  // of stdout, as errno

void note_failure() noexcept {
  if (first_failure == 0) first_failure = errno != 0 ? errno : EIO;
}

}  // namespace

void put_out(std::string_view text) noexcept {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) note_failure();
}

void put_err(std::string_view text) noexcept {
  if (std::fwrite(text.data(), 1, text.size(), stderr) != text.size()) std::clearerr(stderr);
}

void put_line(const std::string& line) noexcept {
  put_err(line);
  put_err("\n");
}

void require_printed() {
  errno = 0;
  if (std::fflush(stdout) != 0) note_failure();
  if (first_failure != 0)
    throw Error(Code::io,
                fmt::format("standard output: cannot write: {}", std::strerror(first_failure)),
                "Check where the output of the program goes.");
}

}  // namespace intaglio
