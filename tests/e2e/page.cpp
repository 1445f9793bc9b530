#include "tests/e2e/page.h"

#include <gtest/gtest.h>

#include <cctype>
#include <vector>

#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

std::string name_in(const std::string& tag) {
  std::size_t end = 0;
  while (end < tag.size() &&
         (std::isalnum(static_cast<unsigned char>(tag[end])) || tag[end] == '!'))
    ++end;
  return tag.substr(0, end);
}

}  // namespace

std::string demo() { return data("demo.onnx"); }

std::filesystem::path page_of(const std::string& command, const std::string& model) {
  const auto page = fresh_folder() / "page.html";
  std::vector<std::string> arguments = {
      "--quiet",     command,   model, "--html",       page.string(),           "--data",
      data("calib"), "--limit", "20",  "--preprocess", data("preprocess.json"), "--exclude-op",
      "Add"};
  if (command == "quantize")
    arguments.insert(arguments.end(), {"-o", (page.parent_path() / "int8.onnx").string()});
  const Ran ran = run_program(arguments);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return page;
}

std::size_t occurrences(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

std::string first_fault(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = page.find('<', at)) != std::string::npos;) {
    const std::size_t end = page.find('>', at);
    const std::string place = page.substr(at, 60);
    if (end == std::string::npos) return "a tag without an end: " + place;
    const bool closes = page[at + 1] == '/';
    const std::size_t begin = at + (closes ? 2 : 1);
    const std::string tag = page.substr(begin, end - begin), name = name_in(tag);
    if (name.empty()) return "no tag: " + place;
    at = end + 1;
    if (closes) {
      if (open.empty() || open.back() != name) return "closes what is not open: " + place;
      open.pop_back();
    } else if (name != "meta" && name != "br" && name != "!DOCTYPE" && tag.back() != '/') {
      open.push_back(name);
      if (name == "style" || name == "script") at = page.find("</" + name, at);
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

}  // namespace intaglio::testing
