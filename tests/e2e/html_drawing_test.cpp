// What a browser draws of the page, pixel by pixel.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "tests/e2e/browser.h"
#include "tests/e2e/page.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using Colour = std::array<int, 3>;

Colour pixel(const Image& image, int x, int y) {
  const std::uint8_t* p = &image.pixels.at((static_cast<std::size_t>(y) * image.width + x) * 3);
  return {p[0], p[1], p[2]};
}

bool alike(const Colour& a, const Colour& b) {
  for (int i = 0; i < 3; ++i)
    if (std::abs(a[i] - b[i]) > 24) return false;
  return true;
}

int brightness(const Colour& c) { return (c[0] + c[1] + c[2]) / 3; }

// "rgb(125, 143, 163)"
Colour colour_of(const std::string& css) {
  Colour c{};
  EXPECT_EQ(std::sscanf(css.c_str(), "rgb(%d, %d, %d)", &c[0], &c[1], &c[2]), 3) << css;
  return c;
}

// The drawing of a value, in pixels of the window: the box of its bars, their colour, that of the
// first bracket, and for each bar whether its path covers the middle of the plot at that height.
constexpr const char* look_at_drawing = R"js(
  const svg = document.querySelector('svg[aria-label^="Histogram of /block1/project/bn/out "]');
  const bars = svg.querySelector('.bars'), bracket = svg.querySelector('.m0');
  const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
  const heights = [];
  for (let bar = 0; bar < 80; ++bar) {
    let height = 0;
    for (let y = 0; y < 60; ++y) height += bars.isPointInFill(new DOMPoint(bar * 4 + 2, y + .5));
    heights.push(height);
  }
  return { x: box.x + scale, y: box.y, scale, heights, fill: getComputedStyle(bars).fill,
           bracket: getComputedStyle(bracket).stroke };
)js";

// The screenshot against the paths of the page: the bars are where they should be, as high as they
// should be, and a bracket runs below them.
void expect_drawn(const Json& drawing, const Image& image) {
  const double scale = drawing["scale"], left = drawing["x"], top = drawing["y"];
  const Colour fill = colour_of(drawing["fill"]), bracket = colour_of(drawing["bracket"]);
  const auto at = [&](double x, double y) {
    return pixel(image, static_cast<int>(left + x * scale), static_cast<int>(top + y * scale));
  };
  int highest = 0, lowest = 60, wrong = 0;
  for (int bar = 2; bar < 78; ++bar) {  // the ends of brackets lie over the first and last ones
    const int height = drawing["heights"][static_cast<std::size_t>(bar)];
    highest = std::max(highest, height), lowest = std::min(lowest, height);
    int drawn = 0;
    for (int y = 0; y < 60; ++y) drawn += alike(at(bar * 4 + 2, y + 0.5), fill);
    wrong += std::abs(drawn - height) > 2;
  }
  EXPECT_GE(highest, 58);
  EXPECT_LT(lowest, 30) << "a bell, not a block";
  EXPECT_LE(wrong, 3) << "the line of 0 covers some";
  int line = 0;
  for (int y = 62 * 4; y < 66 * 4; ++y) line += alike(at(60, y / 4.0), bracket);
  EXPECT_GE(line, 2) << "no bracket below the bars";
}

TEST(HtmlDrawing, ShowsHistogramsInLightAndInDark) {
  SKIP_WITHOUT_BROWSER(browser);
  const auto page = page_of("quantize", demo());
  for (const bool dark : {false, true}) {
    const Window window{1400, 4800, dark};
    const Json drawing = browser.ask(page, look_at_drawing, window);
    const Image image = browser.screenshot(page, window);
    expect_drawn(drawing, image);
    const Colour paper = pixel(image, 3, 3);
    EXPECT_EQ(brightness(paper) < 60, dark) << brightness(paper);
    EXPECT_EQ(brightness(paper) > 230, !dark) << brightness(paper);
  }
}

}  // namespace
}  // namespace intaglio::testing
