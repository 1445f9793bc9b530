// The four methods: known vectors, and brute force on small histograms.
#include "calibration/ranges/methods/selector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "calibration/ranges/methods/bins.h"
#include "calibration/ranges/methods/divergence.h"
#include "calibration/ranges/methods/divergence_loops.h"
#include "calibration/ranges/methods/quantizer_error.h"
#include "calibration/ranges/methods/search.h"

namespace intaglio {

// For messages.
void PrintTo(const Range& range, std::ostream* out) { *out << range.lo << " .. " << range.hi; }

namespace {

const Grid u8{{0, 255}, false}, s8{{-127, 127}, true};

Statistics statistics_of(std::span<const float> values) {
  Statistics s;
  s.histogram.emplace();
  s.add_sample(values);
  return s;
}

Range chosen(const std::string& method, const Statistics& s, const Grid& grid) {
  return parse_method(method).selector(s, grid, {}).range;
}

std::vector<float> ramp() {  // (i - 300) / 100, i = 0..1000
  std::vector<float> values;
  for (int i = 0; i <= 1000; ++i) values.push_back(static_cast<float>(i - 300) / 100);
  return values;
}

// A histogram with few values of random shape: normal, one-sided, with outliers, in two heaps.
Statistics random_statistics(std::mt19937& engine) {
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(50 + engine() % 800));
  const auto kind = engine() % 4;
  const float scale = std::pow(10.0f, static_cast<float>(engine() % 5) - 2);
  for (float& v : values) {
    v = normal(engine) * scale;
    if (kind == 1) v = std::max(v, 0.0f);
    if (kind == 2 && engine() % 50 == 0) v *= 20;
    if (kind == 3) v = engine() % 2 == 0 ? v - 5 * scale : v + 8 * scale;
  }
  return statistics_of(values);
}

Grid random_grid(std::mt19937& engine) {
  const int bits = 2 + static_cast<int>(engine() % 7);
  const int half = 1 << (bits - 1);
  switch (engine() % 3) {
    case 0:
      return {{0, 2 * half - 1}, false};
    case 1:
      return {{-half, half - 1}, false};
    default:
      return {{1 - half, half - 1}, true};
  }
}

// A quantizer for some part of the observed range.
Affine random_part(std::mt19937& engine, const Statistics& s, const Grid& grid) {
  const float a = static_cast<float>(1 + engine() % 100) / 100,
              b = static_cast<float>(1 + engine() % 100) / 100;
  return choose_affine({s.min * a, s.max * b}, grid);
}

// --- Percentile ---

TEST(Percentile, MatchesKnownVectorsUpToABin) {
  // onnxruntime's figures, which sit on the left border of a bin of 0.0068.
  const Statistics s = statistics_of(ramp());
  const double bin = 14.0 / 2048;
  const Range two_sided = chosen("percentile:p=99", s, u8);
  EXPECT_NEAR(two_sided.lo, -2.953125, 2 * bin);
  EXPECT_NEAR(two_sided.hi, 6.9453125, 2 * bin);
  const Range magnitude = chosen("percentile:p=99", s, s8);
  EXPECT_EQ(magnitude.lo, -3);  // never beyond what was observed
  EXPECT_NEAR(magnitude.hi, 6.8974609375, 2 * bin);
  EXPECT_NEAR(chosen("percentile:p=90", s, u8).hi, 6.5, 2 * bin);
}

TEST(Percentile, CountsLikeSortedValues) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal;
  std::vector<float> values(100000);
  for (float& v : values) v = std::max(normal(engine), -0.5f);
  const Statistics s = statistics_of(values);
  std::sort(values.begin(), values.end());
  for (const double p : {99.0, 99.9, 60.0}) {
    const Range range = chosen("percentile:p=" + std::to_string(p), s, u8);
    const auto out = static_cast<std::size_t>((100 - p) / 200 * 100000);
    EXPECT_NEAR(range.lo, values[out], 0.01) << p;
    EXPECT_NEAR(range.hi, values[values.size() - 1 - out], 0.01) << p;
  }
}

TEST(Percentile, OfManyZerosIsZero) {
  std::vector<float> values(1000, 0.0f);
  values[3] = -1, values[4] = 2;
  const Range range = chosen("percentile:p=99", statistics_of(values), u8);
  EXPECT_EQ(range, (Range{0, 0}));
}

TEST(Percentile, RefusesWhatItCannotResolve) {
  const Statistics s = statistics_of(ramp());
  const Choice choice = parse_method("percentile").selector(s, u8, {});
  EXPECT_EQ(choice.range, (Range{-3, 7}));
  EXPECT_NE(choice.note.find("1001 values"), std::string::npos) << choice.note;
  EXPECT_TRUE(parse_method("percentile:p=100").selector(s, u8, {}).note.empty());
  EXPECT_THROW(parse_method("percentile:p=50"), Error);
  EXPECT_THROW(parse_method("percentile:p=100.5"), Error);
}

// --- Error and divergence: fast against slow ---

TEST(SquaredError, IsTheErrorOfTheWalk) {
  std::mt19937 engine(17);
  for (int round = 0; round < 1000; ++round) {
    const Statistics s = random_statistics(engine);
    const Bins bins = bins_of(s);
    const Grid grid = random_grid(engine);
    const Affine affine = random_part(engine, s, grid);
    const double slow = quantizer_error(bins, affine, grid.levels, 2);
    EXPECT_NEAR(SquaredError(bins)(affine, grid.levels), slow,
                1e-9 * slow + 1e-12 * bins.total() * s.max * s.max);
  }
}

TEST(SquaredError, OfManyLevelsInABin) {
  std::mt19937 engine(18);
  const Statistics s = random_statistics(engine);
  const Bins bins = bins_of(s);
  const Grid u16{{0, 65535}, false};
  for (const float part : {1.0f, 0.7f, 0.2f}) {
    const Affine affine = choose_affine({s.min * part, s.max * part}, u16);
    const double slow = quantizer_error(bins, affine, u16.levels, 2);
    EXPECT_NEAR(SquaredError(bins)(affine, u16.levels), slow, 0.01 * slow);
  }
}

TEST(Divergence, LogarithmsAreThoseOfTheLibrary) {
  std::vector<double> mass = {0,
                              1,
                              2,
                              3,
                              0.5,
                              1e-300,
                              1e300,
                              0.70710678118654746,
                              0.7071067811865476,
                              1.4142135623730949,
                              1.4142135623730951,
                              123456789};
  for (int i = 1; i < 2000; ++i) mass.push_back(i * 0.37);
  const std::vector<double> ones(mass.size(), 1), sevens(mass.size(), 7);
  for (const auto& filled : {ones, sevens}) {
    std::vector<double> logs(mass.size());
    logarithms(mass.data(), filled.data(), logs.data(), mass.size());
    EXPECT_EQ(logs[0], 0);
    for (std::size_t i = 1; i < mass.size(); ++i) {
      const double expected = std::log(mass[i] / filled[i]);
      EXPECT_NEAR(logs[i], expected, 1e-15 * std::max(1.0, std::abs(expected))) << mass[i];
    }
  }
}

TEST(Divergence, IsThatOfTheArrays) {
  std::mt19937 engine(19);
  int finite = 0, bounded = 0;
  for (int round = 0; round < 1000; ++round) {
    const Statistics s = random_statistics(engine);
    const Bins bins = bins_of(s);
    const Grid grid = random_grid(engine);
    const Affine affine = random_part(engine, s, grid);
    const Divergence divergence(bins);
    const double slow = divergence_plain(bins, affine, grid.levels),
                 fast = divergence(affine, grid.levels),
                 least = divergence.at_least(affine, grid.levels);
    finite += std::isfinite(slow);
    bounded += std::isfinite(slow) && least > fast / 2;
    EXPECT_LE(least, fast);
    if (std::isfinite(slow))
      EXPECT_NEAR(fast, slow, 1e-9);
    else
      EXPECT_EQ(fast, slow);
  }
  EXPECT_GT(finite, 100);
  EXPECT_GT(bounded, 20);  // a bound that says nothing would hold as well
}

// --- The search against trying everything ---

Range brute_force(const Statistics& s, const Grid& grid, int one_sided, int two_sided,
                  const std::function<double(const Affine&)>& cost) {
  const float lo = std::min(s.min, 0.0f), hi = std::max(s.max, 0.0f);
  const int n = grid.symmetric || lo == 0 || hi == 0 ? one_sided : two_sided;
  Range best{lo, hi};
  double least = std::numeric_limits<double>::infinity();
  const auto part = [&](float end, int i) {
    return static_cast<float>(static_cast<double>(end) * i / n);
  };
  const auto attempt = [&](const Range& range) {
    const double c = cost(choose_affine(range, grid));
    if (c < least) least = c, best = range;
  };
  for (int i = n; i >= 0; --i) {
    if (grid.symmetric) {
      const float a = part(std::max(-lo, hi), i);
      if (a > 0) attempt({std::max(-a, lo), std::min(a, hi)});
      continue;
    }
    for (int j = n; j >= 0; --j) {
      const Range range{part(lo, i), part(hi, j)};
      if (range.lo < range.hi) attempt(range);
      if (hi == 0) break;
    }
    if (lo == 0) break;
  }
  return best;
}

TEST(Mse, FindsWhatBruteForceFinds) {
  std::mt19937 engine(23);
  int clipped = 0;
  for (int round = 0; round < 1000; ++round) {
    const Statistics s = random_statistics(engine);
    const Grid grid = random_grid(engine);
    const Bins bins = bins_of(s);
    const SquaredError squared(bins);
    const Range expected =
        brute_force(s, grid, 128, 64, [&](const Affine& a) { return squared(a, grid.levels); });
    EXPECT_EQ(chosen("mse", s, grid), expected) << "round " << round;
    clipped += expected != Range{std::min(s.min, 0.0f), std::max(s.max, 0.0f)};
  }
  EXPECT_GT(clipped, 500);  // few bits: clipping pays
}

TEST(Entropy, FindsWhatBruteForceFinds) {
  std::mt19937 engine(29);
  int clipped = 0;
  for (int round = 0; round < 1000; ++round) {
    const Statistics s = random_statistics(engine);
    Grid grid = random_grid(engine);
    const Bins bins = bins_of(s);
    const Divergence divergence(bins);
    const Range expected =
        brute_force(s, grid, 128, 64, [&](const Affine& a) { return divergence(a, grid.levels); });
    const Range got = chosen("entropy", s, grid);
    const bool too_few =
        bins.mass.size() < static_cast<std::size_t>(grid.levels.hi - grid.levels.lo + 1);
    EXPECT_EQ(got, too_few ? (Range{s.min, s.max}) : expected)
        << "round " << round << " levels " << grid.levels.lo << " " << grid.levels.hi << " too few "
        << too_few;
    clipped += expected != Range{std::min(s.min, 0.0f), std::max(s.max, 0.0f)};
  }
  EXPECT_GT(clipped, 100);
}

// --- Methods as a whole ---

TEST(Methods, DifferOnALongTail) {
  std::mt19937 engine(31);
  std::normal_distribution<float> normal;
  std::vector<float> values(200000);
  for (float& v : values) v = std::exp(2 * normal(engine));
  const Statistics s = statistics_of(values);
  const float minmax = chosen("minmax", s, u8).hi,
              percentile = chosen("percentile:p=99.9", s, u8).hi, mse = chosen("mse", s, u8).hi,
              entropy = chosen("entropy", s, u8).hi;
  EXPECT_EQ(minmax, s.max);
  EXPECT_LT(percentile, minmax);
  EXPECT_LT(mse, minmax);
  EXPECT_LT(entropy, minmax);
  EXPECT_NE(mse, percentile);
  EXPECT_NE(mse, entropy);
}

TEST(Methods, TakeDeadConstantAndTinyValues) {
  for (const SelectorDef& def : selectors()) {
    for (const float v : {0.0f, 0.25f, -3.0f, 1e-39f, 3e38f}) {
      const Statistics s = statistics_of(std::vector<float>(100, v));
      for (const Grid& grid : {u8, s8, Grid{{0, 3}, false}, Grid{{-32768, 32767}, false}}) {
        const Range range = chosen(std::string(def.name), s, grid);
        EXPECT_LE(range.lo, range.hi) << def.name << " of " << v;
        EXPECT_GE(range.lo, std::min(v, 0.0f)) << def.name;
        EXPECT_LE(range.hi, std::max(v, 0.0f)) << def.name;
      }
    }
  }
}

TEST(Methods, AverageOfSamples) {
  Statistics s;
  s.add_sample(std::vector<float>{-1, 3});
  s.add_sample(std::vector<float>{-2, 1});
  EXPECT_EQ(chosen("minmax:average=1", s, u8), (Range{-1.5, 2}));
  EXPECT_EQ(chosen("minmax", s, u8), (Range{-2, 3}));
}

TEST(Method, SaysWhatWasMeant) {
  try {
    parse_method("percentil:p=99");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::usage);
    EXPECT_NE(e.remedy().find("Did you mean 'percentile'?"), std::string::npos) << e.remedy();
  }
  EXPECT_THROW(parse_method("entropy:bin=3"), Error);
  EXPECT_THROW(parse_method("percentile:p=nine"), Error);
  EXPECT_EQ(parse_method("percentile:p=99.9").text(), "percentile:p=99.9");
  EXPECT_EQ(parse_method("entropy:levels=128,bins=2048").text(), "entropy:bins=2048,levels=128");
  EXPECT_EQ(parse_method("percentile:p=99.999").text(), "percentile");
}

TEST(Mse, NegativeValuesThatMatterLessGiveUpTheirEnd) {
  Statistics s;
  s.histogram.emplace();
  std::vector<float> values;
  for (int i = 0; i < 4000; ++i) values.push_back(static_cast<float>(i % 400 - 200) / 100);
  s.add(values);
  const Grid grid{{0, 15}, false};
  const Method mse = parse_method("mse");
  const Range even = mse.selector(s, grid, {}).range, leaky = mse.selector(s, grid, {0.01}).range;
  EXPECT_LT(even.lo, -1.5f);
  EXPECT_GT(leaky.lo, -1.4f);
  EXPECT_GT(leaky.hi, 1.5f);
  EXPECT_EQ(mse.selector(s, grid, {0}).range.lo, 0);
}

}  // namespace
}  // namespace intaglio
