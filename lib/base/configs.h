// Where the files of configs/ are found: targets and preprocessing presets, by name.
//
// A name is looked up in the folder that $INTAGLIO_CONFIGS names, then in share/intaglio/configs
// beside the bin folder of the running program (an installation), then in configs/ of the source
// tree that it was built from, unless it is of a package. The first hit wins, so a user can add presets and replace ours.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace intaglio {

enum class ConfigKind {
  target,      // configs/<name>.json
  preprocess,  // configs/preprocess/<name>.json
};

// Whether it is the path of a file (it ends in ".json" or holds a '/'), not a name.
bool is_config_file(std::string_view name_or_file);

// name_or_file: a name without extension, or the path of a file. Throws Code::config, listing the known names, for an unknown name; Code::io for a missing
// file.
std::filesystem::path find_config(ConfigKind kind, std::string_view name_or_file);

// The folders in which names are looked up, the first one first, that are there.
std::vector<std::filesystem::path> config_folders();

// The names that find_config() knows, sorted.
std::vector<std::string> config_names(ConfigKind kind);

}  // namespace intaglio
