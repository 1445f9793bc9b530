#include "apps/options/junit.h"

#include <CLI/CLI.hpp>

#include "apps/options/group.h"
#include "lib/base/error.h"

namespace intaglio {

void add_junit_option(CLI::App& command, std::string& path) {
  begin_group(command, group::gates);
  command
      .add_option("--junit", path,
                  "What became of each gate, as JUnit's XML, which CI systems show")
      ->type_name("FILE.xml");
}

void require_gates(const std::string& path, bool any_gate, const std::string& remedy) {
  if (path.empty() || any_gate) return;
  throw Error(Code::usage, "--junit: there is no gate to tell of", remedy);
}

}  // namespace intaglio
