// Every #include of the sources against the table in docs/architecture.md: the page cannot go
// stale.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using Folders = std::set<std::string>;

// Names between backticks: the code that a cell of the table speaks of.
Folders quoted_names(const std::string& cell) {
  Folders names;
  for (std::size_t end = 0, begin; (begin = cell.find('`', end)) != std::string::npos; ++end) {
    end = cell.find('`', begin + 1);
    names.insert(cell.substr(begin + 1, end - begin - 1));
  }
  return names;
}

// The table under "## Folders": what each folder may include besides its own headers.
std::map<std::string, Folders> rows_of_the_document() {
  std::map<std::string, Folders> rows;
  std::ifstream text(testing::source_dir() / "docs" / "architecture.md");
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("## ")) inside = line == "## Folders";
    if (!inside || !line.starts_with("| `")) continue;
    const auto second = line.find('|', 1), third = line.find('|', second + 1);
    for (const auto& folder : quoted_names(line.substr(0, second)))
      rows[folder] = quoted_names(line.substr(third));
  }
  return rows;
}

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
    {"stb", {"calibration/data/image.cpp", "calibration/data/picture.cpp"}},
    {"CLI/", {"apps/options/", "apps/commands/"}},
    {"unicode/", {"calibration/tokens/unicode.cpp", "calibration/tokens/regex.cpp"}},
    {"nlohmann/", {"lib/base/json.h"}},
    {"spdlog/", {"lib/base/log.h", "apps/commands/program.cpp"}},
    {"flatbuffers/", {"lib/tflite/"}},
    {"tflite_generated.h", {"lib/tflite/"}},
    {"CL/", {}},
    {"gtest/", {}},
    {"benchmark/", {}},
};

std::vector<fs::path> all_sources() {
  std::vector<fs::path> files;
  for (const char* top : {"lib", "calibration", "apps"})
    for (const auto& entry : fs::recursive_directory_iterator(testing::source_dir() / top))
      if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h")
        files.push_back(entry.path());
  return files;
}

struct Include {
  std::string file, folder, header;
  bool quoted;
};

std::vector<Include> all_includes() {
  std::vector<Include> result;
  for (const fs::path& path : all_sources()) {
    const fs::path relative = path.lexically_relative(testing::source_dir());
    std::ifstream text(path);
    for (std::string line; std::getline(text, line);) {
      if (line.rfind("#include ", 0) != 0) continue;
      const auto begin = line.find_first_of("\"<") + 1, end = line.find_first_of("\">", begin);
      result.push_back({relative, relative.parent_path(), line.substr(begin, end - begin),
                        line[begin - 1] == '"'});
    }
  }
  return result;
}

// The folder, those of its row, and what those may include.
void reach(const std::map<std::string, Folders>& rows, const std::string& folder, Folders& found) {
  if (!found.insert(folder).second) return;
  for (const auto& next : rows.at(folder)) reach(rows, next, found);
}

bool may_enter(const Door& door, const std::string& file) {
  for (const std::string& place : door.places)
    if (place.back() == '/' ? file.rfind(place, 0) == 0 : file == place) return true;
  return false;
}

TEST(Architecture, FoldersIncludeOnlyWhatTheirRowAllows) {
  const auto rows = rows_of_the_document();
  const auto includes = all_includes();
  ASSERT_GT(rows.size(), 10u);
  ASSERT_GT(includes.size(), 50u);
  for (const Include& include : includes) {
    ASSERT_TRUE(rows.contains(include.folder)) << include.file << ": the table has no such folder";
    if (!include.quoted) continue;
    EXPECT_TRUE(fs::exists(testing::source_dir() / include.header))
        << include.file << " includes \"" << include.header << "\", which is no path from the root";
    Folders allowed;
    reach(rows, include.folder, allowed);
    EXPECT_TRUE(allowed.contains(fs::path(include.header).parent_path()))
        << include.file << " includes \"" << include.header << "\", against the direction";
  }
}

// lib below calibration below apps, whatever the table comes to say.
TEST(Architecture, ArrowsPointOneWay) {
  const auto rows = rows_of_the_document();
  for (const auto& [folder, direct] : rows) {
    Folders all;
    reach(rows, folder, all);
    for (const std::string& other : all) {
      if (folder.starts_with("lib/")) {
        EXPECT_TRUE(other.starts_with("lib/")) << folder << " to " << other;
      } else if (folder.starts_with("calibration")) {
        EXPECT_FALSE(other.starts_with("apps")) << folder << " to " << other;
      }
    }
  }
}

// Two types of one name in one namespace: the linker would take either's functions for both.
TEST(Architecture, TypesOfHeadersHaveNamesOfTheirOwn) {
  const std::regex definition(R"(^(?:struct|class|enum class) (\w+)[^;]*\{.*)");
  std::map<std::string, std::string> places;
  for (const fs::path& path : all_sources()) {
    if (path.extension() != ".h") continue;
    std::ifstream text(path);
    std::string space;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with("namespace ")) space = line;
      std::smatch match;
      if (!std::regex_match(line, match, definition)) continue;
      const auto [other, first] = places.emplace(space + match[1].str(), path);
      EXPECT_TRUE(first || other->second == path)
          << match[1] << " stands in " << path << " and " << other->second;
    }
  }
  EXPECT_GT(places.size(), 50u);
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
