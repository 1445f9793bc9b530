// What the texts of the libraries say of settings: their sources name no flag, and what they name
// in backquotes is an option of the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "apps/report/flags.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;

// What is no code in a source. Literals with nothing but space between them are one.
struct Texts {
  std::vector<std::string> comments, literals;
};

// Behind the literal whose first quote stands at `at`.
std::size_t end_of_literal(const std::string& code, std::size_t at) {
  std::size_t i = at + 1;
  while (code.at(i) != code[at]) i += code[i] == '\\' ? 2 : 1;
  return i + 1;
}

Texts texts_of(const std::string& code) {
  Texts texts;
  bool goes_on = false;  // nothing but space since the last literal
  for (std::size_t i = 0, end; i < code.size(); i = end) {
    const char c = code[i];
    if (code.compare(i, 2, "//") == 0) {
      end = std::min(code.find('\n', i), code.size());
      texts.comments.push_back(code.substr(i, end - i));
    } else if (c == '"') {
      end = end_of_literal(code, i);
      if (!goes_on) texts.literals.emplace_back();
      texts.literals.back() += code.substr(i + 1, end - i - 2);
      goes_on = true;
    } else if (c == '\'' && !std::isdigit(code.at(i - 1))) {  // 1'000 is no character
      end = end_of_literal(code, i);
      goes_on = false;
    } else {
      end = i + 1;
      goes_on = goes_on && std::isspace(c);
    }
  }
  return texts;
}

std::vector<fs::path> library_sources() {
  std::vector<fs::path> files;
  for (const char* top : {"lib", "calibration"})
    for (const auto& entry : fs::recursive_directory_iterator(testing::source_dir() / top))
      if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h")
        files.push_back(entry.path());
  return files;
}

Texts texts_of(const fs::path& path) {
  std::ifstream file(path);
  return texts_of(std::string(std::istreambuf_iterator<char>(file), {}));
}

bool names_flag(const std::string& text) {
  for (std::size_t i = 0; (i = text.find("--", i)) != std::string::npos; ++i)
    if (i + 2 < text.size() && std::islower(text[i + 2])) return true;
  return false;
}

// The names of settings in a literal, which stand in backquotes.
std::vector<std::string> settings_in(const std::string& literal) {
  std::vector<std::string> names;
  std::size_t begin = 0, end = 0;
  while ((begin = literal.find('`', end)) != std::string::npos) {
    end = std::min(literal.find('`', begin + 1), literal.size());
    const std::string setting = literal.substr(begin + 1, end - begin - 1);
    names.push_back(setting.substr(0, setting.find(' ')));
    end = std::min(end + 1, literal.size());
  }
  return names;
}

std::string help_of(const std::vector<std::string>& command) {
  std::vector<std::string> arguments = command;
  arguments.insert(arguments.end(), {"--help", "all"});
  return testing::run_program(arguments).out;
}

// The names that begin a line of a help, behind one-letter names.
std::set<std::string> names_in(const std::string& help, const char* line) {
  std::set<std::string> names;
  const std::regex pattern(line);
  std::istringstream lines(help);
  std::smatch match;
  for (std::string text; std::getline(lines, text);)
    if (std::regex_search(text, match, pattern)) names.insert(match[1]);
  return names;
}

// The options of all commands.
std::set<std::string> options_of_the_program() {
  const char* option = "^  (?:-[a-z],)?--([a-z0-9-]+)";
  const std::string help = help_of({});
  std::set<std::string> options = names_in(help, option);
  for (const std::string& command : names_in(help.substr(help.find("Commands:")), "^  ([a-z]+) "))
    options.merge(names_in(help_of({command}), option));
  return options;
}

TEST(Settings, CommentsAndLiteralsAreFoundInASource) {
  const Texts texts =
      texts_of(std::string("f(\"a\\\"\" // b \"c\"\n, \"d\"\n  \"e\");  // --x\n"
                           "char q = '\"'; g(1'000, \"--y\"); --z;"));
  EXPECT_EQ(texts.comments, (std::vector<std::string>{"// b \"c\"", "// --x"}));
  EXPECT_EQ(texts.literals, (std::vector<std::string>{"a\\\"", "de", "--y"}));
  EXPECT_TRUE(names_flag("fewer --threads"));
  EXPECT_FALSE(names_flag("a -- b --> c --"));
  EXPECT_EQ(settings_in("`a b` c `d`"), (std::vector<std::string>{"a", "d"}));
}

TEST(Settings, LibrariesNameNoFlag) {
  const auto sources = library_sources();
  ASSERT_GT(sources.size(), 300u);
  for (const fs::path& path : sources) {
    const Texts texts = texts_of(path);
    for (const std::string& text : texts.comments)
      EXPECT_FALSE(names_flag(text)) << path << ": " << text;
    for (const std::string& text : texts.literals)
      EXPECT_FALSE(names_flag(text)) << path << ": " << text;
  }
}

TEST(Settings, WhatLibrariesNameIsAnOptionOfTheProgramAndBecomesItsFlag) {
  const std::set<std::string> options = options_of_the_program();
  ASSERT_GT(options.size(), 50u);
  const auto named = named_settings();
  const std::set<std::string> known(named.begin(), named.end());
  std::set<std::string> used;
  for (const fs::path& path : library_sources())
    for (const std::string& literal : texts_of(path).literals)
      for (const std::string& name : settings_in(literal)) {
        EXPECT_TRUE(options.contains(name)) << path << ": " << literal << ": no option --" << name;
        EXPECT_TRUE(known.contains(name))
            << path << ": " << literal << ": flags.cpp lacks " << name;
        used.insert(name);
      }
  EXPECT_EQ(used, known);
}

}  // namespace
}  // namespace intaglio
