// Every #include of the sources against the table of folders in docs/architecture.md.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using Folders = std::set<std::string>;

// What a folder may include besides its own headers: the folders of its row, and what those may
// include.
const std::map<std::string, Folders> rows = {
    {"lib/base", {}},
    {"lib/tensor", {"lib/base"}},
    {"lib/graph", {"lib/tensor"}},
    {"lib/io", {"lib/graph"}},
    {"lib/exec", {"lib/graph"}},
    {"lib/exec/ref", {"lib/exec"}},
    {"lib/exec/onednn", {"lib/exec"}},
    {"lib/passes", {"lib/graph", "lib/exec"}},
    {"lib/quant", {"lib/graph"}},
    {"lib/rewrite", {"lib/quant"}},
    {"lib/eval", {"lib/exec", "lib/quant"}},
    {"calibration", {"calibration/selectors", "lib/exec", "lib/quant", "lib/io"}},
    {"calibration/selectors", {"calibration"}},
    {"calibration/refine", {"calibration"}},
    {"apps",
     {"calibration", "calibration/refine", "calibration/selectors", "lib/eval", "lib/rewrite",
      "lib/passes", "lib/io"}},
};

// Third-party headers and the files, or folders, that may include them.
struct Door {
  std::string_view header;  // a prefix
  std::vector<std::string> places;
};
const std::vector<Door> doors = {
    {"onnx/", {"lib/graph/", "lib/io/"}},
    {"google/protobuf/", {"lib/graph/", "lib/io/"}},
    {"dnnl", {"lib/exec/onednn/"}},
    {"oneapi/dnnl", {"lib/exec/onednn/"}},
    {"stb", {"calibration/preprocess.cpp", "calibration/image.cpp"}},
    {"CLI/", {"apps/"}},
    {"nlohmann/", {"lib/base/json.h"}},
    {"spdlog/", {"lib/base/log.h", "apps/"}},
    {"CL/", {}},
    {"gtest/", {}},
    {"benchmark/", {}},
};

struct Include {
  std::string file, folder, header;
  bool quoted;
};

std::vector<Include> all_includes() {
  std::vector<Include> result;
  for (const char* top : {"lib", "calibration", "apps"}) {
    const fs::path root = testing::source_dir() / top;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".h") continue;
      const fs::path relative = entry.path().lexically_relative(testing::source_dir());
      std::ifstream text(entry.path());
      for (std::string line; std::getline(text, line);) {
        if (line.rfind("#include ", 0) != 0) continue;
        const auto begin = line.find_first_of("\"<") + 1, end = line.find_first_of("\">", begin);
        result.push_back({relative, relative.parent_path(), line.substr(begin, end - begin),
                          line[begin - 1] == '"'});
      }
    }
  }
  return result;
}

void reach(const std::string& folder, Folders& found) {
  if (!found.insert(folder).second) return;
  for (const auto& next : rows.at(folder)) reach(next, found);
}

Folders reachable(const std::string& folder) {
  Folders found;
  reach(folder, found);
  return found;
}

bool may_enter(const Door& door, const std::string& file) {
  for (const std::string& place : door.places)
    if (place.back() == '/' ? file.rfind(place, 0) == 0 : file == place) return true;
  return false;
}

TEST(Architecture, FoldersIncludeOnlyWhatTheirRowAllows) {
  const auto includes = all_includes();
  EXPECT_GT(includes.size(), 50u);
  for (const Include& include : includes) {
    ASSERT_TRUE(rows.contains(include.folder)) << include.file << ": the table has no such folder";
    if (!include.quoted) continue;
    const std::string target = fs::path(include.header).parent_path();
    EXPECT_TRUE(fs::exists(testing::source_dir() / include.header))
        << include.file << " includes \"" << include.header << "\", which is no path from the root";
    EXPECT_TRUE(reachable(include.folder).contains(target))
        << include.file << " includes \"" << include.header << "\", against the direction";
  }
}

TEST(Architecture, ThirdPartyHeadersStayBehindTheirDoors) {
  for (const Include& include : all_includes()) {
    for (const Door& door : doors) {
      if (include.header.rfind(door.header, 0) != 0) continue;
      EXPECT_TRUE(may_enter(door, include.file))
          << include.file << " includes <" << include.header << ">";
    }
  }
}

}  // namespace
}  // namespace intaglio
