// Statistics by channel: what shifts and scales are chosen from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/progress.h"
#include "lib/exec/executor.h"
#include "lib/exec/samples.h"

namespace intaglio {

// Of the values of one channel each.
struct ChannelStatistics {
  std::vector<float> min, max;
  std::vector<double> sum, squares;
  double count = 0;  // values of each channel

  std::size_t channels() const { return min.size(); }
  double mean(std::size_t c) const { return sum[c] / count; }
  double mean_square(std::size_t c) const { return squares[c] / count; }
  // Min and max, but no further than eight standard deviations from the mean: what lies beyond, a
  // range of the least squared error mostly cuts off.
  double usual_min(std::size_t c) const;
  double usual_max(std::size_t c) const;
  void add(const Tensor& tensor, int axis);  // f32; -1: the last axis
  void add(const ChannelStatistics& other);
  // As if every value had been moved by -shift[channel].
  void shift_by(const std::vector<float>& shift);

 private:
  double deviation(std::size_t c) const;
};

// By value name.
using ChannelMeasurements = std::map<std::string, ChannelStatistics>;

// Runs the samples and measures values along an axis, by name. The executor must show them to its
// tap. Does not depend on threads. Throws Code::data when no sample could be loaded.
ChannelMeasurements measure_channels(const Executor& executor,
                                     const std::map<std::string, int>& axes, const Samples& samples,
                                     std::size_t threads, const Progress& progress = {});

}  // namespace intaglio
