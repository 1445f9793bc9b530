// QLinearConv with one filter per channel, on channels-last images of codes.
#include <algorithm>

#include "lib/exec/registry.h"
#include "lib/exec/vector/code_conv.h"

namespace intaglio {
namespace {

constexpr std::int64_t block = 64;  // channels

// Where channel c of a block stands after the bytes of four taps were interleaved: see
// CodeDepthwise.
std::int64_t place_of(std::int64_t c) { return c / 4 % 4 * 16 + c / 16 * 4 + c % 4; }

class CodeDepthwiseConv final : public Kernel {
 public:
  explicit CodeDepthwiseConv(const Node& node) : conv_(node) {
    const Shape& f = conv_.geometry.filter_shape();
    const std::int64_t taps = f[2] * f[3], blocks = (f[0] + block - 1) / block;
    fours_ = (taps + 3) / 4;
    weights_.assign(static_cast<std::size_t>(blocks * fours_ * block * 4), 0);
    start_.assign(static_cast<std::size_t>(blocks * block), 0);
    multipliers_.assign(start_.size(), 0.0f);
    const auto w = conv_.filters.data<std::int8_t>();
    for (std::int64_t c = 0; c < f[0]; ++c) {
      const std::int64_t b = c / block, at = place_of(c % block);
      start_[static_cast<std::size_t>(b * block + at)] = conv_.start[static_cast<std::size_t>(c)];
      multipliers_[static_cast<std::size_t>(b * block + at)] =
          conv_.multipliers[static_cast<std::size_t>(c)];
      for (std::int64_t t = 0; t < taps; ++t)
        weights_[static_cast<std::size_t>(((b * fours_ + t / 4) * block + at) * 4 + t % 4)] =
            w[static_cast<std::size_t>(c * taps + t)];
    }
  }

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const Window w = conv_.geometry.place(conv_.attrs, x.shape());
    Tensor y = code_result(conv_, x, w);
    const CodeConv::Images images = conv_.padded_images(x, w, false);
    const std::int64_t channels = x.dim(1), height = images.height, width = images.width;
    const std::uint8_t* from = images.data();
    auto* to = reinterpret_cast<std::uint8_t*>(y.raw_mutate());
    std::vector<std::int64_t> taps;
    for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky)
      for (std::int64_t kx = 0; kx < w.kernel[1]; ++kx)
        taps.push_back((ky * w.dilations[0] * width + kx * w.dilations[1]) * channels);
    taps.resize(static_cast<std::size_t>(4 * fours_), 0);  // their weights are zero
    for (std::int64_t n = 0; n < x.dim(0); ++n, from += height * width * channels)
      for (std::int64_t oy = 0; oy < w.output[0]; ++oy, to += w.output[1] * channels)
        row(from + oy * w.strides[0] * width * channels, w, taps, to);
    context.set_output(0, std::move(y));
  }

 private:
  void row(const std::uint8_t* image, const Window& w, std::span<const std::int64_t> taps,
           std::uint8_t* y) const {
    const std::int64_t channels = conv_.geometry.outputs();
    std::vector<const std::uint8_t*> at(taps.size());
    for (std::int64_t c = 0; c < channels; c += block) {
      const auto first = static_cast<std::size_t>(c);
      CodeDepthwise b{.taps = at.data(),
                      .fours = fours_,
                      .w = weights_.data() + first * 4 * static_cast<std::size_t>(fours_),
                      .start = start_.data() + first,
                      .ending = conv_.ending(multipliers_.data() + first),
                      .channels = std::min(block, channels - c),
                      .y = y + c};
      for (std::size_t t = 0; t < taps.size(); ++t) at[t] = image + taps[t] + c;
      for (std::int64_t ox = 0; ox < w.output[1]; ++ox, b.y += channels) {
        run_code_depthwise(b);
        for (const std::uint8_t*& tap : at) tap += w.strides[1] * channels;
      }
    }
  }

  CodeConv conv_;
  std::int64_t fours_;
  std::vector<std::int8_t> weights_;
  std::vector<std::int32_t> start_;
  std::vector<float> multipliers_;
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

void register_vector_code_depthwise_conv(Registry& registry) {
  registry.add({.op = "QLinearConv",
                .impl = "vector",
                .since = 10,
                .priority = 30,
                .refuse = refuse,
                .make = make});
}

}  // namespace intaglio
