// Statistics by channel: what shifts and scales are chosen from.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/exec/executor.h"

namespace intaglio {

// Of the values of one channel each.
struct ChannelStatistics {
  std::vector<float> min, max;
  std::vector<double> sum, squares;
  double count = 0;  // values of each channel

  std::size_t channels() const { return min.size(); }
  double mean(std::size_t c) const { return sum[c] / count; }
  double mean_square(std::size_t c) const { return squares[c] / count; }
  void add(const Tensor& tensor, int axis);  // f32; -1: the last axis
  void add(const ChannelStatistics& other);
  // As if every value had been moved by -shift[channel].
  void shift_by(const std::vector<float>& shift);
};

// By value name.
using ChannelMeasurements = std::map<std::string, ChannelStatistics>;

// Samples to refine with. load() may be called from many threads at once, for i below count;
// nullopt: the sample is bad and has been noted elsewhere.
struct SampleSource {
  std::size_t count = 0;
  std::function<std::optional<std::vector<Tensor>>(std::size_t)> load;
};

// Runs the samples and measures values along an axis, by name. The executor must show them to its
// tap. Does not depend on threads. Throws Code::data when no sample could be loaded.
ChannelMeasurements measure_channels(const Executor& executor,
                                     const std::map<std::string, int>& axes,
                                     const SampleSource& samples, std::size_t threads);

}  // namespace intaglio
