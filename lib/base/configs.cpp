#include "lib/base/configs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <set>

#include "lib/base/error.h"
#include "lib/base/nearest.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> roots() {
  std::vector<fs::path> found;
  if (const char* own = std::getenv("INTAGLIO_CONFIGS"); own != nullptr && *own != '\0') {
    std::error_code failed;
    if (!fs::is_directory(own, failed))
      throw Error(Code::config, fmt::format("INTAGLIO_CONFIGS={}: not a folder", own),
                  "Set it to a folder of targets and presets, or unset it.");
    found.emplace_back(own);
  }
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) found.push_back(program.parent_path().parent_path() / "share/intaglio/configs");
  if (*INTAGLIO_CONFIG_DIR != '\0') found.emplace_back(INTAGLIO_CONFIG_DIR);
  return found;
}

fs::path folder_of(ConfigKind kind, const fs::path& root) {
  return kind == ConfigKind::preprocess ? root / "preprocess" : root;
}

}  // namespace

bool is_config_file(std::string_view name_or_file) {
  return name_or_file.ends_with(".json") || name_or_file.find('/') != std::string_view::npos;
}

fs::path find_config(ConfigKind kind, std::string_view name_or_file) {
  std::error_code failed;  // then it is no file that could be read
  if (is_config_file(name_or_file)) {
    if (fs::is_regular_file(name_or_file, failed)) return name_or_file;
    throw Error(Code::io, fmt::format("{}: no such file", name_or_file),
                "Check the path, or give the name of a built-in file without '.json'.");
  }
  for (const fs::path& root : roots()) {
    const fs::path file = folder_of(kind, root) / fmt::format("{}.json", name_or_file);
    if (fs::is_regular_file(file, failed)) return file;
  }
  const std::vector<std::string> names = config_names(kind);
  const char* const what = kind == ConfigKind::preprocess ? "preprocessing preset" : "target";
  if (names.empty())
    throw Error(Code::config,
                fmt::format("{} '{}': there is no folder of configs beside the program", what,
                            name_or_file),
                "Put bin/intaglio and share/intaglio/configs into one folder as they were "
                "installed, or name the folder in INTAGLIO_CONFIGS.");
  throw Error(Code::config, fmt::format("{} '{}': unknown", what, name_or_file),
              suggestion(name_or_file, std::vector<std::string_view>(names.begin(), names.end())) +
                  " Or give the path of a .json file.");
}

std::vector<fs::path> config_folders() {
  std::vector<fs::path> found = roots();
  std::erase_if(found, [](const fs::path& root) {
    std::error_code failed;
    return !fs::is_directory(root, failed);
  });
  return found;
}

std::vector<std::string> config_names(ConfigKind kind) {
  std::set<std::string> names;
  for (const fs::path& root : roots()) {
    std::error_code missing;
    for (const auto& file : fs::directory_iterator(folder_of(kind, root), missing))
      if (file.path().extension() == ".json") names.insert(file.path().stem().string());
  }
  return {names.begin(), names.end()};
}

}  // namespace intaglio
