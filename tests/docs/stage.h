// A folder in which the commands of the documents run: every file that they name is there, made of
// the demo's model and data or of a small model, under the name that the documents give it.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/support.h"

namespace intaglio::testing {

class Stage {
 public:
  explicit Stage(std::filesystem::path folder);

  // In a shell, with the program on the PATH; what stands in for the files that the command names
  // is made first, unless it is there already. A pipe fails when a part of it does.
  Ran run(const std::string& command);

 private:
  void provide(const std::string& name);
  Ran shell(const std::string& line) const;

  std::filesystem::path folder_;
};

}  // namespace intaglio::testing
