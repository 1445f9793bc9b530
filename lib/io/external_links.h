// Whether links to external data may lead out of the folder of a model.
#pragma once

namespace intaglio {

// No by default: a model from anywhere could otherwise name any file that its reader can read.
// The caches of model hubs need it, where every file of a model is a link to a folder of contents.
// Paths that leave the folder by themselves (absolute ones, "..") are never followed. Set it before
// other threads start.
void follow_external_links(bool follow);
bool external_links_followed();

}  // namespace intaglio
