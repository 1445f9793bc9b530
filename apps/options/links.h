// The option that lets external data be a link out of the model's folder.
#pragma once

namespace CLI {
class App;
}

namespace intaglio {

// Acts when it is parsed.
void add_links_option(CLI::App& root);

}  // namespace intaglio
