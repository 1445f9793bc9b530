// The manual page: readers of such pages take it without a warning, and nothing is missing in it.
#include "apps/commands/manual.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "lib/base/atomic_file.h"
#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::contains;
using testing::run_command;
using testing::run_program;

// The page, with hyphens as people write them.
std::string manual() {
  std::string page = run_program({"--man"}).out;
  for (std::size_t at; (at = page.find("\\-")) != page.npos;) page.erase(at, 1);
  return page;
}

TEST(Manual, ReadersTakeItWithoutAWarning) {
  const std::filesystem::path page = testing::fresh_folder() / "intaglio.1";
  write_file(page, run_program({"--man"}).out);
  int readers = 0;
  for (const std::vector<std::string>& reader :
       {std::vector<std::string>{"env", "MANWIDTH=100", "man", "--warnings", "-E", "UTF-8", "-l"},
        {"groff", "-man", "-ww", "-z", "-Tutf8"},
        {"mandoc", "-T", "lint", "-W", "warning"}}) {
    const std::string& name = reader.front() == "env" ? reader[2] : reader.front();
    if (run_command({"sh", "-c", "command -v " + name}).exit_code != 0) continue;
    ++readers;
    std::vector<std::string> command = reader;
    command.push_back(page.string());
    const testing::Ran ran = run_command(command);
    EXPECT_EQ(ran.err, "") << name;
    if (name != "mandoc") continue;
    // A date would make the same program give other bytes.
    std::istringstream warnings(ran.out);
    for (std::string line; std::getline(warnings, line);)
      EXPECT_TRUE(contains(line, "missing date")) << line;
  }
  if (readers == 0) GTEST_SKIP() << "there is none of man, groff and mandoc";
}

TEST(Manual, IsMadeOfItsMacros) {
  std::istringstream lines(run_program({"--man"}).out);
  const std::set<std::string> macros = {".TH", ".SH", ".SS", ".PP", ".TP",
                                        ".RS", ".RE", ".nf", ".fi"};
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_FALSE(line.empty());
    EXPECT_FALSE(line.starts_with('\'')) << line;
    EXPECT_TRUE(!line.starts_with('.') || macros.contains(line.substr(0, 3))) << line;
  }
  EXPECT_GT(count, 500);
}

TEST(Manual, HasEveryCommandAndOption) {
  const std::string page = manual();
  std::istringstream help(run_program({"--help", "all"}).out);
  int options = 0;
  const std::regex names("^  (?:-[a-z],)?(--[a-z0-9-]+)|^  ([a-z]+)  .*");
  std::smatch match;
  for (std::string line; std::getline(help, line);) {
    if (!std::regex_search(line, match, names)) continue;
    const bool option = match[1].matched;
    EXPECT_TRUE(contains(
        page, option ? "\\fB" + match[1].str() + "\\fR" : ".SS \"intaglio " + match[2].str()))
        << line;
    options += option;
  }
  EXPECT_GT(options, 150);
}

TEST(Manual, SaysExitCodesAsTheDocumentsDo) {
  const std::string page = manual();
  std::istringstream document(read_file(testing::source_dir() / "docs/cli.md"));
  int codes = 0;
  std::smatch match;
  for (std::string line; std::getline(document, line);) {
    if (!std::regex_match(line, match, std::regex("\\| ([0-9]+) \\| (.*) \\|"))) continue;
    const std::string meaning = std::regex_replace(match[2].str(), std::regex("`"), "");
    EXPECT_TRUE(contains(page, "\\fB" + match[1].str() + "\\fR\n" + meaning + "\n")) << line;
    ++codes;
  }
  EXPECT_EQ(codes, 10);
}

}  // namespace
}  // namespace intaglio
