// Histograms: a function of the multiset of values alone.
#include "calibration/statistics/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <random>

#include "calibration/statistics/extent.h"
#include "calibration/statistics/statistics.h"

namespace intaglio {
namespace {

std::vector<float> random_values(std::mt19937& engine, std::size_t n, float scale) {
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(engine) * scale;
  return values;
}

Statistics histogram_of(std::span<const float> values) {
  Statistics s;
  s.histogram.emplace();
  s.add(values);
  return s;
}

// Splits at random places, merges the parts in a random order.
Statistics in_pieces(std::vector<float> values, std::mt19937& engine) {
  std::shuffle(values.begin(), values.end(), engine);
  std::vector<Statistics> parts;
  for (std::size_t at = 0; at < values.size();) {
    const std::size_t n = std::min<std::size_t>(1 + engine() % 5000, values.size() - at);
    parts.push_back(histogram_of(std::span(values).subspan(at, n)));
    at += n;
  }
  while (parts.size() > 1) {
    std::swap(parts[engine() % parts.size()], parts.back());
    const Statistics last = parts.back();
    parts.pop_back();
    parts[engine() % parts.size()].merge(last);
  }
  return parts.front();
}

void expect_counts(const Statistics& s, std::span<const float> values) {
  const Histogram& h = *s.histogram;
  EXPECT_LE(h.last() - h.first(), Histogram::capacity - 1);
  std::map<std::int64_t, std::uint64_t> expected;
  for (const float v : values)
    if (v != 0)
      ++expected[static_cast<std::int64_t>(std::floor(static_cast<double>(v) / h.width()))];
  for (std::int64_t k = h.first(); k <= h.last(); ++k)
    ASSERT_EQ(h.count(k), expected[k]) << "bin " << k;
}

TEST(Histogram, IsTheSameForAnySplitAndOrderAtEveryScale) {
  std::mt19937 engine(5);
  for (const float scale : {1e-38f, 1e-30f, 1e-5f, 1.0f, 3e4f, 1e30f, 5e37f}) {
    std::vector<float> values = random_values(engine, 20000, scale);
    for (std::size_t i = 0; i < values.size(); i += 3) values[i] = std::max(values[i], 0.0f);
    const Statistics whole = histogram_of(values);
    expect_counts(whole, values);
    for (int round = 0; round < 3; ++round) EXPECT_EQ(in_pieces(values, engine), whole) << scale;
  }
}

TEST(Histogram, TakesDenormalsAndTheirNegatives) {
  std::mt19937 engine(6);
  std::vector<float> values;
  for (int i = 0; i < 3000; ++i)
    values.push_back(static_cast<float>(static_cast<int>(engine() % 2001) - 1000) * FLT_TRUE_MIN);
  const Statistics alone = histogram_of(values);
  expect_counts(alone, values);
  EXPECT_EQ(alone.subnormals, values.size() - alone.zeros);
  values.push_back(1e20f);  // beside it, they all lie next to zero: bins 0 and -1
  const Statistics beside = histogram_of(values);
  expect_counts(beside, values);
  EXPECT_EQ(in_pieces(values, engine), beside);
}

TEST(Histogram, SurvivesAHugeOutlier) {
  std::mt19937 engine(7);
  std::vector<float> values = random_values(engine, 10000, 1e-3f);
  values[1234] = -3.0e38f;
  const Statistics s = histogram_of(values);
  expect_counts(s, values);
  EXPECT_EQ(s.min, -3.0e38f);
  EXPECT_EQ(in_pieces(values, engine), s);
}

TEST(Histogram, ConstantsZerosAndOddValues) {
  const std::vector<float> constant(1000, 0.1f);
  EXPECT_EQ(histogram_of(constant).histogram->count(histogram_of(constant).histogram->first()),
            1000u);
  const std::vector<float> zeros(1000, 0.0f);
  const Statistics nothing = histogram_of(zeros);
  EXPECT_EQ(nothing.zeros, 1000u);
  EXPECT_EQ(nothing.histogram->count(0), 0u);
  std::vector<float> odd = {1, std::nanf(""), -INFINITY, 2, INFINITY, 0};
  const Statistics s = histogram_of(odd);
  EXPECT_EQ(s.finite(), 3u);
  EXPECT_EQ(s.max, 2);
}

TEST(Histogram, HasBetweenHalfAndAllOfItsBinsForSpreadValues) {
  std::mt19937 engine(8);
  for (const float scale : {1e-10f, 0.37f, 123.0f}) {
    const Histogram h = *histogram_of(random_values(engine, 1000, scale)).histogram;
    EXPECT_GE(h.last() - h.first() + 1, Histogram::capacity / 2);
    EXPECT_LE(h.last() - h.first() + 1, Histogram::capacity);
  }
}

TEST(Histogram, FastLoopCountsLikeThePlainOne) {
  std::mt19937 engine(9);
  for (const std::size_t n : {0u, 1u, 15u, 16u, 17u, 511u, 513u, 8191u, 8192u, 30011u}) {
    std::vector<float> values = random_values(engine, n, 100);
    for (std::size_t i = 0; i < n; i += 2) values[i] = 0;
    std::vector<std::uint64_t> fast(Histogram::capacity, 3), plain = fast, without = fast;
    for (const float inverse : {0.25f, 8.0f}) {
      count_bins(values, inverse, fast.data());
      count_bins(values, inverse, without.data(), /*avx512=*/false);
      count_bins_plain(values, inverse, plain.data());
    }
    EXPECT_EQ(fast, plain) << n;
    EXPECT_EQ(without, plain) << n;
  }
}

TEST(Extent, CountsAsOneByOne) {
  std::mt19937 engine(11);
  const float odd[] = {std::nanf(""), -std::nanf(""), INFINITY, -INFINITY, 1e-40f, -1e-40f, -0.0f};
  for (const std::size_t n : {0u, 1u, 31u, 32u, 33u, 64u, 1000u, 40001u})
    for (std::size_t kind = 0; kind <= std::size(odd); ++kind) {
      std::vector<float> values = random_values(engine, n, 3);
      for (std::size_t i = 0; i < n; i += 5) values[i] = 0;
      if (kind < std::size(odd) && n > 2) values[n / 2] = odd[kind];
      Extent plain;
      for (const float v : values) {
        if (v < plain.min) plain.min = v;
        if (v > plain.max) plain.max = v;
        plain.zeros += v == 0;
        plain.small += std::abs(v) < FLT_MIN;
        plain.odd += !std::isfinite(v);
      }
      const Extent e = extent_of(values);
      EXPECT_EQ(e.min, plain.min) << n << " " << kind;
      EXPECT_EQ(e.max, plain.max) << n << " " << kind;
      EXPECT_EQ(e.zeros, plain.zeros) << n << " " << kind;
      EXPECT_EQ(e.small, plain.small) << n << " " << kind;
      EXPECT_EQ(e.odd, plain.odd) << n << " " << kind;
    }
}

TEST(Histogram, IsRestoredFromItsParts) {
  std::mt19937 engine(10);
  const Statistics s = histogram_of(random_values(engine, 5000, 2));
  const Histogram& h = *s.histogram;
  std::vector<std::uint64_t> counts;
  for (std::int64_t k = h.first(); k <= h.last(); ++k) counts.push_back(h.count(k));
  EXPECT_EQ(Histogram::restored(h.lo(), h.hi(), counts), h);
}

TEST(Statistics, MeansOfSamplesDoNotDependOnTheirOrder) {
  std::mt19937 engine(11);
  std::vector<std::vector<float>> samples;
  for (int i = 0; i < 200; ++i)
    samples.push_back(random_values(engine, 10, std::pow(10.0f, static_cast<float>(i % 60) - 30)));
  Statistics whole;
  for (const auto& sample : samples) whole.add_sample(sample);
  std::shuffle(samples.begin(), samples.end(), engine);
  Statistics merged;
  for (const auto& sample : samples) {
    Statistics one;
    one.add_sample(sample);
    merged.merge(one);
  }
  EXPECT_EQ(merged, whole);
  EXPECT_EQ(whole.samples, 200u);
}

}  // namespace
}  // namespace intaglio
