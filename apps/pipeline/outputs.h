// The files that a command writes: none of them is another one or an input, and they appear
// together, when all are complete.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/atomic_file.h"

namespace intaglio {

// Usage: declare() every output, keep() every input, before the run; write() or take() results as
// they are made; commit() once. Without commit() nothing appears.
class Outputs {
 public:
  // what: as messages call it ("--report"). An empty path is no output. Throws Code::usage when
  // the path is that of another output or of an input.
  void declare(std::string_view what, const std::filesystem::path& path);

  bool none() const { return declared_.empty(); }

  // An input, which no output may be. Throws as declare(); a missing file is nobody's fault here.
  void keep(std::string_view what, const std::filesystem::path& path);

  // Throws Code::io unless every declared file can be created.
  void require_writable() const;

  // Writes under a temporary name. An empty path is nowhere.
  void write(const std::filesystem::path& path, std::string_view text);

  // Takes over a file that is complete but for commit().
  void take(std::unique_ptr<AtomicFile> file);

  // Everything appears, in the order in which it was written. Signals wait that long.
  void commit();

 private:
  // Device and inode of what exists, else the path without links and dots.
  using Identity = std::string;
  struct Named {
    std::string what;
    std::filesystem::path path;
  };

  std::vector<std::filesystem::path> declared_;
  std::map<Identity, Named> outputs_;
  std::map<Identity, std::string> inputs_;  // what they are called
  std::vector<std::unique_ptr<AtomicFile>> files_;
};

}  // namespace intaglio
