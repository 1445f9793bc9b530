// QLinearConv with one filter per channel, on channels-last images of codes.
//
// A row of results is computed 64 bytes at a time, across the borders of its pixels, so that few
// channels fill the vectors as well as many do. Which channels a block holds repeats after a few
// blocks; each has weights laid out for it. With strides, the columns of the images are sorted by
// the tap that reads them first, so that what neighbouring results read are neighbours, too.
// Without strides two rows of results are made at a time: most of what they read is the same.
#include <algorithm>
#include <numeric>

#include "lib/exec/registry.h"
#include "lib/exec/vector/codes/conv.h"

namespace intaglio {
namespace {

constexpr std::int64_t block = 64;       // bytes
constexpr std::int64_t most_kinds = 32;  // of blocks, whose weights stay in the cache

// Where byte i of a block stands after the bytes of four taps were interleaved: see CodeDepthwise.
std::int64_t place_of(std::int64_t i) { return i / 4 % 4 * 16 + i / 16 * 4 + i % 4; }

// Columns x, x + step, x + 2 * step, ... of every row next to each other, for x = 0, 1, ...
Tensor sorted_columns(const CodeConv::Images& images, std::int64_t rows, std::int64_t channels,
                      std::int64_t step) {
  const std::int64_t each = (images.width + step - 1) / step;
  Tensor sorted(DType::u8, {rows, step, each, channels});
  std::uint8_t* to = sorted.mutate<std::uint8_t>().data();
  const std::uint8_t* row = images.data();
  for (std::int64_t y = 0; y < rows; ++y, row += images.width * channels)
    for (std::int64_t first = 0; first < step; ++first)
      for (std::int64_t i = 0; i < each; ++i, to += channels)
        std::copy_n(row + std::min(first + i * step, images.width - 1) * channels, channels, to);
  return sorted;
}

// Of the vertical axis; one is what an absent attribute means.
bool is_one(const Shape& by_axis) { return by_axis.empty() || by_axis[0] == 1; }

class CodeDepthwiseConv final : public Kernel {
 public:
  explicit CodeDepthwiseConv(const Node& node) : conv_(node) {
    const Shape& f = conv_.geometry.filter_shape();
    const std::int64_t channels = f[0], taps = f[2] * f[3];
    const std::int64_t repeated = channels / std::gcd(channels, block);
    across_ = repeated <= most_kinds;
    kinds_ = across_ ? repeated : (channels + block - 1) / block;
    // Rows of taps of their own cost slots: too many where one or two taps begin another four.
    paired_ = is_one(conv_.attrs.strides) && is_one(conv_.attrs.dilations) && (f[3] - 1) % 4 > 1;
    quads_ = (f[3] + 3) / 4;
    fours_ = paired_ ? f[2] * quads_ : (taps + 3) / 4;
    weights_.assign(static_cast<std::size_t>(kinds_ * fours_ * block * 4), 0);
    start_.assign(static_cast<std::size_t>(kinds_ * block), 0);
    multipliers_.assign(start_.size(), 0.0f);
    for (std::int64_t i = 0; i < kinds_ * block; ++i)
      if (across_ || i < channels) lay_out(i, i % channels, taps);
  }

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const Window w = conv_.geometry.place(conv_.attrs, x.shape());
    Tensor y = code_result(conv_, x, w);
    const CodeConv::Images images = conv_.padded_images(x, w, false);
    const std::int64_t channels = x.dim(1), rows = x.dim(0) * images.height, step = w.strides[1];
    const Tensor bytes = step > 1 ? sorted_columns(images, rows, channels, step) : images.bytes;
    const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.raw());
    const std::int64_t each = (images.width + step - 1) / step, pitch = step * each * channels;
    const std::vector<std::int64_t> taps = taps_of(w, pitch, each * channels, channels);
    auto* to = reinterpret_cast<std::uint8_t*>(y.raw_mutate());
    for (std::int64_t n = 0; n < x.dim(0); ++n, from += images.height * pitch)
      for (std::int64_t oy = 0; oy < w.output[0];) {
        const int some = paired_ && oy + 1 < w.output[0] ? 2 : 1;
        run_rows(some, from + oy * w.strides[0] * pitch, w.output[1], taps, to);
        to += some * w.output[1] * channels;
        oy += some;
      }
    context.set_output(0, std::move(y));
  }

 private:
  // Where a tap stands in the fours: rows of taps start new ones when results come in pairs.
  std::int64_t slot_of(std::int64_t tap) const {
    const std::int64_t width = conv_.geometry.filter_shape()[3];
    return paired_ ? tap / width * quads_ * 4 + tap % width : tap;
  }

  // Byte i of the blocks is of a channel.
  void lay_out(std::int64_t i, std::int64_t channel, std::int64_t taps) {
    const std::int64_t kind = i / block, at = place_of(i % block);
    const auto c = static_cast<std::size_t>(channel);
    start_[static_cast<std::size_t>(kind * block + at)] = conv_.start[c];
    multipliers_[static_cast<std::size_t>(kind * block + at)] = conv_.multipliers[c];
    const std::int8_t* w = conv_.filters.data<std::int8_t>().data() + channel * taps;
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::int64_t slot = slot_of(t);
      weights_[static_cast<std::size_t>(((kind * fours_ + slot / 4) * block + at) * 4 + slot % 4)] =
          w[t];
    }
  }

  // Where the taps lie from the first one, in sorted columns; for a pair, of one row more. Slots
  // between them have weights of zero.
  std::vector<std::int64_t> taps_of(const Window& w, std::int64_t pitch, std::int64_t sorted,
                                    std::int64_t channels) const {
    const std::int64_t rows = w.kernel[0] + (paired_ ? 1 : 0), step = w.strides[1];
    std::vector<std::int64_t> taps(static_cast<std::size_t>(4 * (fours_ + (paired_ ? quads_ : 0))));
    for (std::int64_t t = 0; t < rows * w.kernel[1]; ++t) {
      const std::int64_t y = t / w.kernel[1] * w.dilations[0], x = t % w.kernel[1] * w.dilations[1];
      taps[static_cast<std::size_t>(slot_of(t))] =
          y * pitch + x % step * sorted + x / step * channels;
    }
    return taps;
  }

  // One row of results, or two.
  void run_rows(int rows, const std::uint8_t* image, std::int64_t pixels,
                std::span<const std::int64_t> taps, std::uint8_t* y) const {
    const std::int64_t channels = conv_.geometry.outputs();
    const std::int64_t run = across_ ? pixels * channels : channels;  // bytes between borders
    CodeDepthwise b{.taps = taps.data(), .fours = fours_, .ending = conv_.ending(nullptr)};
    for (std::int64_t at = 0; at < pixels * channels; at += run)
      for (std::int64_t i = 0, kind = 0; i < run; i += block, kind = (kind + 1) % kinds_) {
        b.x = image + at + i;
        b.w = weights_.data() + kind * fours_ * block * 4;
        b.start = start_.data() + kind * block;
        b.ending.multipliers = multipliers_.data() + kind * block;
        b.bytes = std::min(block, run - i);
        b.y = y + at + i;
        rows == 2 ? run_code_depthwise_pair(b, quads_, pixels * channels) : run_code_depthwise(b);
      }
  }

  CodeConv conv_;
  std::int64_t fours_, quads_, kinds_;
  bool paired_;                       // rows of results
  bool across_;                       // blocks go on across pixels
  std::vector<std::int8_t> weights_;  // [kind][four][64][4]
  std::vector<std::int32_t> start_;   // [kind][64]
  std::vector<float> multipliers_;    // [kind][64]
};

Refusal refuse(const Node& node) {
  if (const Refusal why = refuse_code_conv(node)) return why;
  const Shape& shape = node.input(3)->constant().shape();
  if (shape[1] != 1 || node.attr_int("group", 1) != shape[0] || shape[0] < 2)
    return "not one filter per channel";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<CodeDepthwiseConv>(node); }

}  // namespace

void register_codes_depthwise_conv(Registry& registry) {
  registry.add({.op = "QLinearConv",
                .impl = "vector",
                .since = 10,
                .priority = 30,
                .refuse = refuse,
                .make = make});
}

}  // namespace intaglio
