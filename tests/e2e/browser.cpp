#include "tests/e2e/browser.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

constexpr const char* opening = "<pre id=\"answer\">";

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

}  // namespace

std::optional<Browser> Browser::find() {
  const char* named = std::getenv("INTAGLIO_BROWSER");
  if (named != nullptr) return Browser(named);
  for (const char* program : {"chromium", "chromium-browser", "google-chrome"})
    if (run_command({"which", program}).exit_code == 0) return Browser(program);
  return std::nullopt;
}

std::string Browser::run(const std::filesystem::path& page, const Window& window,
                         const std::string& action) const {
  const auto profile = page.parent_path() / "browser";
  std::vector<std::string> command = {
      "timeout",
      "60",
      program_,
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      "--user-data-dir=" + profile.string(),
      "--window-size=" + std::to_string(window.width) + "," + std::to_string(window.height)};
  if (window.dark) command.push_back("--blink-settings=preferredColorScheme=0");
  command.insert(command.end(), {action, "file://" + page.string()});
  const Ran ran = run_command(command);
  if (ran.exit_code != 0)
    throw std::runtime_error(program_ + " failed with " + std::to_string(ran.exit_code) + ": " +
                             ran.err);
  return ran.out;
}

Json Browser::ask(const std::filesystem::path& page, const std::string& script,
                  const Window& window) const {
  std::string text = read_file(page);
  const std::string probe =
      "<script>{ const answer = (() => {" + script +
      "})(); const pre = document.createElement('pre'); pre.id = 'answer';"
      "pre.textContent = JSON.stringify(answer); document.documentElement.append(pre); }</script>";
  text.insert(text.rfind("</body>"), probe);
  const auto copy = page.parent_path() / "probed.html";
  std::ofstream(copy, std::ios::binary) << text;
  const std::string dom = run(copy, window, "--dump-dom");
  const std::size_t begin = dom.rfind(opening);
  if (begin == std::string::npos) throw std::runtime_error("the script failed: " + script);
  const std::size_t from = begin + std::string(opening).size();
  std::string answer = dom.substr(from, dom.find("</pre>", from) - from);
  replace_all(answer, "&lt;", "<"), replace_all(answer, "&gt;", ">"),
      replace_all(answer, "&amp;", "&");
  return Json::parse(answer);
}

Image Browser::screenshot(const std::filesystem::path& page, const Window& window) const {
  const auto file = page.parent_path() / "screenshot.png";
  std::filesystem::remove(file);
  run(page, window, "--screenshot=" + file.string());
  return read_image(file);
}

}  // namespace intaglio::testing
