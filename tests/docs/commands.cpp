#include "tests/docs/commands.h"

#include <algorithm>
#include <regex>
#include <sstream>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

// Single spaces, no comment behind.
std::string tidy(const std::string& line) {
  std::istringstream words(line);
  std::string out;
  for (std::string word; words >> word && word != "#";) out += (out.empty() ? "" : " ") + word;
  return out;
}

bool names_the_program(const std::string& command) {
  return std::regex_search(command, std::regex("(^|[ '/])intaglio "));
}

// Documents indent code by four spaces; help pages their examples by two.
bool is_code(const std::string& line) {
  return line.starts_with("    ") || line.starts_with("  intaglio ");
}

void add_of_block(std::istringstream& lines, std::string line, std::vector<std::string>& found) {
  while (line.ends_with("\\")) {
    std::string more;
    if (!std::getline(lines, more)) break;
    line = line.substr(0, line.size() - 1) + more;
  }
  std::string command = tidy(line);
  if (command.starts_with("$ ")) command.erase(0, 2);
  if (names_the_program(command)) found.push_back(command);
}

void add_of_sentences(const std::string& text, std::vector<std::string>& found) {
  const std::regex span("`(intaglio [^`]+)`");
  for (std::sregex_iterator at(text.begin(), text.end(), span), end; at != end; ++at)
    if (const std::string command = tidy((*at)[1]); std::ranges::count(command, ' ') > 1)
      found.push_back(command);
}

}  // namespace

std::vector<std::string> commands_of(const std::string& text) {
  std::vector<std::string> found;
  std::string sentences;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (is_code(line))
      add_of_block(lines, line, found);
    else
      sentences += line + "\n";
  add_of_sentences(sentences, found);
  return found;
}

std::vector<std::string> documents_with_commands() {
  std::vector<std::string> names = {"README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "docs"))
    if (entry.path().extension() == ".md")
      names.push_back("docs/" + entry.path().filename().string());
  std::erase_if(names, [](const std::string& name) {
    return commands_of(read_file(source_dir() / name)).empty();
  });
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace intaglio::testing
