// The drawings: that they show the numbers they were given.
#include <gtest/gtest.h>

#include <cfloat>
#include <numeric>
#include <random>

#include "apps/report/html/channels_svg.h"
#include "apps/report/html/histogram_svg.h"
#include "tests/support/support.h"

namespace intaglio::html {
namespace {

using testing::contains;

Statistics statistics_of(const std::vector<float>& values) {
  Statistics s;
  s.histogram.emplace();
  s.add(values);
  return s;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

TEST(HistogramSvg, BarsHoldEveryFiniteValue) {
  const Statistics s = statistics_of({-1, -1, -1, 0, 0, 0, 0, 0, 2, NAN, INFINITY});
  std::vector<std::uint64_t> expected(histogram_bars);
  expected[0] = 3, expected[histogram_bars / 4] = 5, expected[histogram_bars * 3 / 4] = 1;
  EXPECT_EQ(bars_of(s, {-1, 3}), expected);
}

TEST(HistogramSvg, BarsFollowTheValuesOfARandomSample) {
  std::mt19937 engine(3);
  std::vector<float> values(20000);
  for (float& v : values) v = static_cast<float>(engine()) / 4294967296.0f * 8 - 2;
  const Statistics s = statistics_of(values);
  const Range axis{-2, 6};
  std::vector<std::uint64_t> exact(histogram_bars);
  for (const float v : values) ++exact[static_cast<std::size_t>((v + 2) / 8 * histogram_bars)];
  const auto bars = bars_of(s, axis);
  EXPECT_EQ(std::accumulate(bars.begin(), bars.end(), 0ull), values.size());
  for (std::size_t i = 0; i < bars.size(); ++i)  // bins are narrow: only their ends may be off
    EXPECT_NEAR(static_cast<double>(bars[i]), static_cast<double>(exact[i]), 12) << i;
}

TEST(HistogramSvg, DrawsOneOutlineAndABracketForEachRange) {
  const Statistics s = statistics_of({-1, 0, 0, 0, 1, 3});
  const std::vector<Range> ranges = {{-1, 3}, {0, 1}};
  const std::string svg = histogram_svg(s, ranges, "a<b");
  EXPECT_EQ(count(svg, "class=\"bars\""), 1u) << svg;
  EXPECT_TRUE(contains(svg, "Histogram of a&lt;b from -1 to 3")) << svg;
  EXPECT_TRUE(contains(svg, "class=\"m0\" d=\"M0 0V64H320V0\"")) << svg;
  EXPECT_TRUE(contains(svg, "class=\"m1\" d=\"M80 0V71H160V0\"")) << svg;
  EXPECT_TRUE(contains(svg, "H80V0H84V60")) << "the tallest bar is that of the zeros: " << svg;
}

TEST(HistogramSvg, TheAxisReachesRangesThatAreWiderThanTheValues) {
  const std::vector<Range> ranges = {{-8, 8}};
  const std::string svg = histogram_svg(statistics_of({1, 2}), ranges, "x");
  EXPECT_TRUE(contains(svg, "from -8 to 8")) << svg;
}

TEST(HistogramSvg, HasNoDrawingWithoutValues) {
  const std::vector<Range> ranges = {{0, 0}};
  EXPECT_EQ(histogram_svg(statistics_of({0, 0}), ranges, "x"), "");
  EXPECT_EQ(histogram_svg(statistics_of({NAN, INFINITY}), ranges, "x"), "");
  EXPECT_EQ(histogram_svg(Statistics{}, ranges, "x"), "");
}

TEST(HistogramSvg, DrawsTheExtremesOfFloat) {
  for (const auto& values : {std::vector<float>{-FLT_MAX, FLT_MAX},
                             {FLT_TRUE_MIN},
                             {-FLT_TRUE_MIN, 1e-40f},
                             {5, 5, 5},
                             {1e-38f, FLT_MAX}}) {
    const Statistics s = statistics_of(values);
    const std::vector<Range> ranges = {{s.min, s.max}};
    const std::string svg = histogram_svg(s, ranges, "x");
    EXPECT_TRUE(contains(svg, "class=\"bars\""));
    EXPECT_FALSE(contains(svg, "nan") || contains(svg, "inf")) << svg;
    const auto bars = bars_of(s, join(Range{0, 0}, ranges.front()));
    EXPECT_EQ(std::accumulate(bars.begin(), bars.end(), 0ull), values.size());
  }
}

TEST(ChannelsSvg, JoinsNeighboursOnlyWhereTheyAreTooMany) {
  const std::vector<Range> few(most_channel_bars, Range{-1, 1});
  EXPECT_EQ(coarse(few), few);
  std::vector<Range> many(most_channel_bars + 3, Range{-1, 1});
  many[4] = {-5, 0}, many[5] = {0, 7};
  const std::vector<Range> bars = coarse(many);
  EXPECT_EQ(bars.size(), (many.size() + 1) / 2);
  EXPECT_EQ(bars[2], (Range{-5, 7}));
  EXPECT_EQ(bars.back(), (Range{-1, 1}));
}

TEST(ChannelsSvg, DrawsWhatIsThereOverWhatCodesReach) {
  const std::vector<Range> seen = {{-1, 1}, {-2, 2}}, codes = {{-1, 1}, {-1.5, 1.5}};
  const std::string svg = channels_svg(seen, codes, "w\"");
  EXPECT_TRUE(contains(svg, "Ranges of the 2 channels of w&quot;")) << svg;
  EXPECT_TRUE(contains(svg, "class=\"bars\" d=\"M0 15V15H160V0H320V60H160V45H0Z\"")) << svg;
  EXPECT_TRUE(contains(svg, "class=\"codes\" d=\"M0 15V15H160V8H320V53H160V45H0Z\"")) << svg;
}

TEST(ChannelsSvg, CodesOfADeadChannelDoNotSqueezeTheOthers) {
  const std::vector<Range> seen = {{-1, 1}, {0, 0}}, codes = {{-1, 1}, {-127, 127}};
  const std::string svg = channels_svg(seen, codes, "w");
  EXPECT_TRUE(contains(svg, "class=\"bars\" d=\"M0 6V6H160V30H320V30H160V54H0Z\"")) << svg;
  EXPECT_TRUE(contains(svg, "class=\"codes\" d=\"M0 6V6H160V0H320V60H160V54H0Z\"")) << svg;
}

}  // namespace
}  // namespace intaglio::html
