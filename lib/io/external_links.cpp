#include "lib/io/external_links.h"

namespace intaglio {
namespace {

bool followed = false;

}  // namespace

void follow_external_links(bool follow) { followed = follow; }

bool external_links_followed() { return followed; }

}  // namespace intaglio
