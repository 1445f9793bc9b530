#include "apps/pipeline/outputs.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <utility>

#include "lib/base/error.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;

// Empty: a device, a pipe or a folder, which is nobody's result.
std::string identity_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0)
    return S_ISREG(info.st_mode) ? fmt::format("{}:{}", info.st_dev, info.st_ino) : "";
  std::error_code failed;
  const fs::path whole = fs::absolute(behind_links(path), failed);
  const fs::path plain = fs::weakly_canonical(whole, failed);
  return (failed ? whole.lexically_normal() : plain).string();
}

// Signals that arrive meanwhile are delivered afterwards.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigdelset(&all, SIGBUS);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

Error overwritten_input(const fs::path& path, std::string_view output, std::string_view input) {
  return Error(Code::usage,
               fmt::format("{}: output and input are the same file: {} and {}", path.string(),
                           output, input),
               "Choose another name: an input is never overwritten.");
}

}  // namespace

void Outputs::declare(std::string_view what, const fs::path& path) {
  if (path.empty()) return;
  declared_.push_back(path);
  const Identity identity = identity_of(path);
  if (identity.empty()) return;
  if (const auto input = inputs_.find(identity); input != inputs_.end())
    throw overwritten_input(path, what, input->second);
  const auto [other, added] = outputs_.emplace(identity, Named{std::string(what), path});
  if (!added)
    throw Error(Code::usage,
                fmt::format("{}: two outputs are the same file: {} and {}", path.string(),
                            other->second.what, what),
                "Give each of them a name of its own.");
}

void Outputs::keep(std::string_view what, const fs::path& path) {
  struct stat info {};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return;
  const Identity identity = identity_of(path);
  if (identity.empty()) return;
  if (const auto output = outputs_.find(identity); output != outputs_.end())
    throw overwritten_input(output->second.path, output->second.what, what);
  inputs_.emplace(identity, what);
}

void Outputs::require_writable() const {
  for (const fs::path& path : declared_) intaglio::require_writable(path);
}

void Outputs::write(const fs::path& path, std::string_view text) {
  if (path.empty()) return;
  auto file = std::make_unique<AtomicFile>(path);
  file->write(text);
  take(std::move(file));
}

void Outputs::take(std::unique_ptr<AtomicFile> file) {
  file->finish();
  files_.push_back(std::move(file));
}

void Outputs::commit() {
  const SignalsHeld held;
  for (const auto& file : files_) file->commit();
  files_.clear();
}

}  // namespace intaglio
