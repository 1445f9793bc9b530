#include "apps/options/links.h"

#include <CLI/CLI.hpp>

#include "lib/io/external_links.h"

namespace intaglio {

void add_links_option(CLI::App& root) {
  root.add_flag_callback(
      "--follow-links", [] { follow_external_links(true); },
      "Read external data through links that leave the model's folder, as in the caches of hubs");
}

}  // namespace intaglio
