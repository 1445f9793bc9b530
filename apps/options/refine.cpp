#include "apps/options/refine.h"

#include <CLI/CLI.hpp>

#include "apps/options/choice.h"
#include "apps/options/group.h"

namespace intaglio {

void add_refine_options(CLI::App& command, RefineOptions& options) {
  begin_group(command, group::accuracy);
  add_choice(command, "--effort", options.effort,
             "How much is done for accuracy: fast chooses ranges; balanced equalizes channels, "
             "migrates them into weights and corrects biases; best rounds weights against each "
             "other's errors too");
  command
      .add_option("--refine", options.list,
                  "The steps to take in place of those of the effort: none, or some of shift, "
                  "equalization, migration, rounding, bias_correction")
      ->delimiter(',')
      ->type_name("LIST");
}

}  // namespace intaglio
