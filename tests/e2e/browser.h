// A page in headless Chromium.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "calibration/data/image.h"
#include "lib/base/json.h"

namespace intaglio::testing {

struct Window {
  int width = 1400, height = 1600;
  bool dark = false;
};

class Browser {
 public:
  // The program that $INTAGLIO_BROWSER names, or the first of chromium, chromium-browser and
  // google-chrome that is there; nullopt when none is.
  static std::optional<Browser> find();

  // Opens the page, runs `script` at its end and returns what the script's function gave: the body
  // of a function that returns something JSON can hold.
  Json ask(const std::filesystem::path& page, const std::string& script,
           const Window& window = {}) const;

  // What is drawn, from the top of the page.
  Image screenshot(const std::filesystem::path& page, const Window& window = {}) const;

 private:
  explicit Browser(std::string program) : program_(std::move(program)) {}
  // Standard output; throws std::runtime_error when the browser fails or takes a minute.
  std::string run(const std::filesystem::path& page, const Window& window,
                  const std::string& action) const;

  std::string program_;
};

#define SKIP_WITHOUT_BROWSER(variable)                                                        \
  const auto variable##_found = ::intaglio::testing::Browser::find();                         \
  if (!variable##_found)                                                                      \
    GTEST_SKIP() << "no browser at hand: install chromium, or name one in $INTAGLIO_BROWSER"; \
  const ::intaglio::testing::Browser& variable = *variable##_found

}  // namespace intaglio::testing
