#include "calibration/statistics/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "calibration/statistics/extent.h"

namespace intaglio {
namespace {

constexpr std::size_t block = 1 << 17;  // stays in the second-level cache between the two passes

}  // namespace

void Statistics::add(std::span<const float> values) {
  for (std::size_t at = 0; at < values.size(); at += block)
    add_block(values.subspan(at, std::min(block, values.size() - at)));
}

void Statistics::add_block(std::span<const float> values) {
  const Extent e = extent_of(values);
  if (e.odd > 0) return add_odd_block(values);
  min = std::min(min, e.min);
  max = std::max(max, e.max);
  count += values.size();
  zeros += e.zeros;
  subnormals += e.small - e.zeros;
  if (!histogram) return;
  histogram->cover(e.min, e.max);
  histogram->add(values);
}

void Statistics::add_odd_block(std::span<const float> values) {
  std::vector<float> finite;
  for (const float v : values) {
    nans += std::isnan(v);
    infs += std::isinf(v);
    if (std::isfinite(v)) finite.push_back(v);
  }
  count += values.size() - finite.size();
  if (!finite.empty()) add_block(finite);
}

void Statistics::add_sample(std::span<const float> values) {
  Statistics sample;
  sample.histogram.swap(histogram);  // counts into what is there already
  sample.add(values);
  sample.histogram.swap(histogram);
  if (sample.finite() > 0) {
    sample.samples = 1;
    sample.sample_minima.add(sample.min);
    sample.sample_maxima.add(sample.max);
  }
  merge(sample);
}

void Statistics::merge(const Statistics& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  count += other.count;
  zeros += other.zeros;
  subnormals += other.subnormals;
  nans += other.nans;
  infs += other.infs;
  samples += other.samples;
  sample_minima.merge(other.sample_minima);
  sample_maxima.merge(other.sample_maxima);
  if (!other.histogram) return;
  if (histogram) {
    histogram->merge(*other.histogram);
  } else {
    histogram = other.histogram;
  }
}

void Observations::merge(const Observations& other) {
  for (const auto& [name, statistics] : other.values) values[name].merge(statistics);
  for (const auto& [name, distinct] : other.inputs) inputs[name].merge(distinct);
  samples += other.samples;
}

}  // namespace intaglio
