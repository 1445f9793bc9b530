#include "calibration/refine/patches.h"

#include <algorithm>

#include "lib/exec/ops/conv_transpose.h"
#include "lib/exec/ops/convolution.h"

namespace intaglio {
namespace {

// Where an element of x is: batch, channel, and position in the spatial axes.
struct Strides {
  std::size_t batch, channel, position;
  Strides(const Tensor& x, int axis) {
    const auto channels = static_cast<std::size_t>(x.dim(static_cast<std::size_t>(axis)));
    const auto area = static_cast<std::size_t>(
        product(x.shape(), static_cast<std::size_t>(axis) + 1, x.shape().size()));
    batch = channels * area;
    const bool last = x.layout() == Layout::channels_last;
    channel = last ? 1 : area;
    position = last ? channels : 1;
  }
};

std::vector<std::int64_t> unravel(std::int64_t index, const Shape& lengths) {
  std::vector<std::int64_t> at(lengths.size());
  for (std::size_t a = lengths.size(); a-- > 0;) {
    at[a] = index % lengths[a];
    index /= lengths[a];
  }
  return at;
}

// The input position that a tap of the kernel reads for an output position; -1: none.
class Taps {
 public:
  Taps(const Layer& layer, const Tensor& x) {
    const Node& node = *layer.node;
    const Tensor& w = layer.weights->constant();
    transposed_ = node.is("ConvTranspose");
    if (transposed_) {
      window_ = place_transposed(read_conv_transpose(node), x.shape(), w.shape());
    } else {
      const ConvolutionShape shape(w.shape(), node.attr_int("group", 1));
      window_ = shape.place(read_window(node), x.shape());
    }
  }

  // Of the layer, whichever way its window looks.
  const Shape& outputs() const { return transposed_ ? window_.input : window_.output; }

  std::int64_t input(const std::vector<std::int64_t>& output,
                     const std::vector<std::int64_t>& tap) const {
    const Shape& lengths = transposed_ ? window_.output : window_.input;
    std::int64_t index = 0;
    for (std::size_t a = 0; a < lengths.size(); ++a) {
      std::int64_t at = 0;
      if (transposed_) {
        at = output[a] + window_.begin[a] - tap[a] * window_.dilations[a];
        if (at < 0 || at % window_.strides[a] != 0) return -1;
        at /= window_.strides[a];
      } else {
        at = output[a] * window_.strides[a] - window_.begin[a] + tap[a] * window_.dilations[a];
      }
      if (at < 0 || at >= lengths[a]) return -1;
      index = index * lengths[a] + at;
    }
    return index;
  }

  const Shape& kernel() const { return window_.kernel; }

 private:
  bool transposed_ = false;
  Window window_;
};

void add_windows(const Layer& layer, std::size_t group, const Tensor& x, std::size_t most,
                 Patches& patches) {
  const Taps taps(layer, x);
  const Strides strides(x, 1);
  const std::size_t n = layer.inputs_per_group(), kernel = layer.kernel;
  const auto area = static_cast<std::size_t>(product(taps.outputs(), 0, taps.outputs().size()));
  const std::size_t positions = static_cast<std::size_t>(x.dim(0)) * area;
  const std::size_t rows = std::min(most, positions);
  const float* data = x.data<float>().data();
  std::vector<std::vector<std::int64_t>> tap_at;
  for (std::size_t k = 0; k < kernel; ++k)
    tap_at.push_back(unravel(static_cast<std::int64_t>(k), taps.kernel()));
  std::size_t row = patches.values.size();
  patches.values.resize(row + rows * patches.width);
  for (std::size_t r = 0; r < rows; ++r, row += patches.width) {
    const std::size_t position = (2 * r + 1) * positions / (2 * rows);
    const auto output = unravel(static_cast<std::int64_t>(position % area), taps.outputs());
    for (std::size_t k = 0; k < kernel; ++k) {
      const std::int64_t at = taps.input(output, tap_at[k]);
      if (at < 0) continue;
      const float* from = data + position / area * strides.batch + group * n * strides.channel +
                          static_cast<std::size_t>(at) * strides.position;
      for (std::size_t i = 0; i < n; ++i)
        patches.values[row + i * kernel + k] = from[i * strides.channel];
    }
  }
}

void add_rows(const Tensor& x, std::size_t most, Patches& patches) {
  const Tensor stored = to_row_major(x);
  const auto values = stored.data<float>();
  const std::size_t positions = values.size() / patches.width, rows = std::min(most, positions);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto row =
        values.subspan((2 * r + 1) * positions / (2 * rows) * patches.width, patches.width);
    patches.values.insert(patches.values.end(), row.begin(), row.end());
  }
}

}  // namespace

void add_patches(const Layer& layer, std::size_t group, const Tensor& x, std::size_t most,
                 Patches& patches) {
  patches.width = layer.inputs_per_group() * layer.kernel;
  if (patches.width == 0 || x.size() == 0) return;
  if (layer.node->is("Gemm") || layer.node->is("MatMul")) return add_rows(x, most, patches);
  add_windows(layer, group, x, most, patches);
}

}  // namespace intaglio
