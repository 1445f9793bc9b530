// QLinearConv of one group as a product of codes: a row for each window of a channels-last image.
#include <algorithm>

#include "lib/exec/registry.h"
#include "lib/exec/vector/codes/conv.h"
#include "lib/exec/vector/conv_node.h"

namespace intaglio {
namespace {

constexpr std::int64_t panel = 32;  // columns

class CodeProductConv final : public Kernel {
 public:
  explicit CodeProductConv(const Node& node)
      : conv_(node), pointwise_(is_pointwise(conv_.attrs, conv_.geometry.filter_shape())) {
    const std::int64_t columns = conv_.geometry.outputs();
    const auto padded = static_cast<std::size_t>((columns + panel - 1) / panel * panel);
    start_ = conv_.start;
    multipliers_ = conv_.multipliers;
    start_.resize(padded, 0);
    multipliers_.resize(padded, 0.0f);
    const Shape& f = conv_.geometry.filter_shape();
    whole_rows_ = conv_.attrs.dilations.empty() || conv_.attrs.dilations.back() == 1;
    runs_ = pointwise_ ? 1 : f[2] * (whole_rows_ ? 1 : f[3]);
    length_ = f[1] * (whole_rows_ ? f[3] : 1);
    quads_ = (length_ + 3) / 4;
    for (std::int64_t first = 0; first < columns; first += panel) {
      offsets_.push_back(static_cast<std::int64_t>(weights_.size()));
      pack(first, std::min(panel, columns - first));
    }
  }

  bool takes_any_layout() const override { return true; }
  std::string detail() const override { return pointwise_ ? "pixels" : "windows"; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    const Window w = conv_.geometry.place(conv_.attrs, x.shape());
    Tensor y = code_result(conv_, x, w);
    const CodeConv::Images images = conv_.padded_images(x, w, length_ % 4 != 0);
    const std::uint8_t* from = images.data();
    auto* to = reinterpret_cast<std::uint8_t*>(y.raw_mutate());
    const std::int64_t channels = x.dim(1), height = images.height, width = images.width;
    if (pointwise_) {
      const std::int64_t start = 0;
      rows({from, channels, {&start, 1}}, x.dim(0) * element_count(w.output), to);
    } else {
      const std::vector<std::int64_t> runs = runs_of(w, width, channels);
      const std::int64_t step = w.strides[0] * width * channels;
      for (std::int64_t n = 0; n < x.dim(0); ++n, from += height * width * channels)
        for (std::int64_t oy = 0; oy < w.output[0];
             ++oy, to += w.output[1] * conv_.geometry.outputs())
          rows({from + oy * step, w.strides[1] * channels, runs}, w.output[1], to);
    }
    context.set_output(0, std::move(y));
  }

 private:
  struct Rows {
    const std::uint8_t* data;
    std::int64_t pitch;
    std::span<const std::int64_t> runs;
  };

  // [run][quad][vector][16 columns][4]; what lies beyond the columns or the run is zero.
  void pack(std::int64_t first, std::int64_t columns) {
    const Shape& f = conv_.geometry.filter_shape();
    const auto w = conv_.filters.data<std::int8_t>();
    const std::int64_t vectors = columns > 16 ? 2 : 1, area = f[2] * f[3];
    for (std::int64_t run = 0; run < runs_; ++run)
      for (std::int64_t q = 0; q < quads_; ++q)
        for (std::int64_t j = 0; j < 16 * vectors; ++j)
          for (std::int64_t k = 4 * q; k < 4 * q + 4; ++k) {
            // Row-major over the filter.
            const std::int64_t tap = whole_rows_ ? run * f[3] + k / f[1] : run;
            const bool there = j < columns && k < length_;
            weights_.push_back(
                there ? w[static_cast<std::size_t>(((first + j) * f[1] + k % f[1]) * area + tap)]
                      : std::int8_t{0});
          }
  }

  std::vector<std::int64_t> runs_of(const Window& w, std::int64_t width,
                                    std::int64_t channels) const {
    std::vector<std::int64_t> runs;
    for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky)
      for (std::int64_t kx = 0; kx < (whole_rows_ ? 1 : w.kernel[1]); ++kx)
        runs.push_back((ky * w.dilations[0] * width + kx * w.dilations[1]) * channels);
    return runs;
  }

  // Strips of about equal height; a panel of weights stays in the cache while a few of them pass.
  void rows(const Rows& x, std::int64_t count, std::uint8_t* y) const {
    constexpr std::int64_t strips_at_once = 8;
    const std::int64_t columns = conv_.geometry.outputs(),
                       strips = (count + code_rows - 1) / code_rows;
    const auto begin_of = [&](std::int64_t s) { return count * s / strips; };
    for (std::int64_t s0 = 0; s0 < strips; s0 += strips_at_once)
      for (std::int64_t first = 0; first < columns; first += panel)
        for (std::int64_t s = s0; s < std::min(s0 + strips_at_once, strips); ++s) {
          const std::int64_t begin = begin_of(s);
          run_code_tile({.x = x.data + begin * x.pitch,
                         .pitch = x.pitch,
                         .runs = x.runs,
                         .quads = quads_,
                         .w = weights_.data() + offsets_[static_cast<std::size_t>(first / panel)],
                         .start = start_.data() + first,
                         .ending = conv_.ending(multipliers_.data() + first),
                         .y = y + begin * columns + first,
                         .row = columns,
                         .columns = std::min(panel, columns - first)},
                        static_cast<int>(begin_of(s + 1) - begin));
        }
  }

  CodeConv conv_;
  bool pointwise_, whole_rows_ = true;
  std::int64_t runs_ = 1, length_ = 0, quads_ = 0;
  std::vector<std::int8_t> weights_;
  std::vector<std::int64_t> offsets_;  // of each panel
  std::vector<std::int32_t> start_;
  std::vector<float> multipliers_;
};

Refusal refuse(const Node& node) {
  if (node.attr_int("group", 1) != 1) return "several groups";
  return refuse_code_conv(node);
}

std::unique_ptr<Kernel> make(const Node& node) { return std::make_unique<CodeProductConv>(node); }

}  // namespace

void register_codes_product_conv(Registry& registry) {
  registry.add({.op = "QLinearConv",
                .impl = "product",
                .since = 10,
                .priority = 20,
                .refuse = refuse,
                .make = make});
}

}  // namespace intaglio
