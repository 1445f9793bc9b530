#include "apps/options/keep.h"

#include <CLI/CLI.hpp>

#include "apps/options/choice.h"
#include "apps/options/group.h"

namespace intaglio {

void add_keep_options(CLI::App& command, KeepOptions& options) {
  begin_group(command, group::accuracy);
  command
      .add_option("--keep-float", options.layers,
                  "Layers that stay float: the N whose noise matters most, or auto: the cheapest "
                  "ones with which the gates hold")
      ->type_name("N|auto");
  add_choice(command, "--objective", options.objective, keep_objectives,
             "What --keep-float auto keeps cheap: macs (work in integers) or size (of the file)");
  add_choice(command, "--keep-as", options.as, keep_ways,
             "What --keep-float makes of its layers: float, or 16bit: integers still, with "
             "activations of 16 bits");
}

}  // namespace intaglio
