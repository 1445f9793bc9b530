// Conv of one group with 3x3 filters and stride 1, on channels-last images, by minimal filtering.
#include <algorithm>
#include <mutex>

#include "lib/exec/fused_reference.h"
#include "lib/exec/ops/convolution.h"
#include "lib/exec/registry.h"
#include "lib/exec/vector/conv_node.h"
#include "lib/exec/vector/product_conv.h"
#include "lib/exec/vector/winograd.h"

namespace intaglio {
namespace {

// Transformed filters are four times as large. They pay when they stay in the cache, or when an
// image has enough pixels for what it takes to fetch them. What an image is like is known when it
// comes (annotations must not decide: the same model gives the same bytes with and without them),
// so the filters are packed for the method that is needed, when it is needed first.
class WinogradConv final : public Kernel {
 public:
  WinogradConv(const Node& node, PostOps ops)
      : node_(node),
        ops_(std::move(ops)),
        attrs_(read_window(node)),
        geometry_(node.input(1)->constant().shape(), 1),
        reference_(node, ops_) {}

  bool takes_any_layout() const override { return true; }

  void run(KernelContext& context) const override {
    const Tensor& x = context.input(0);
    if (x.dtype() != DType::f32) return reference_.run(context);
    const Window window = geometry_.place(attrs_, x.shape());
    if (!pays(window)) return direct().run(context);
    const Shape shape{x.dim(0), geometry_.outputs(), window.output[0], window.output[1]};
    const auto addends = channels_last_addends(context, ops_, shape);
    const Tensor images = to_channels_last(x);
    const auto [y, pitch] = context.channels_last_output(shape);
    const std::int64_t in = product(x.shape(), 1, 4), pixels = element_count(window.output);
    for (std::int64_t n = 0; n < x.dim(0); ++n)
      winograd().run(images.data<float>().data() + n * in, window,
                     addends_of(addends, n, pixels * geometry_.outputs()), y + n * pixels * pitch,
                     pitch);
  }

 private:
  bool pays(const Window& window) const {
    constexpr std::int64_t floats_in_cache = 128 * 1024, enough_pixels = 100;
    return 36 * geometry_.outputs() * geometry_.channels() <= floats_in_cache ||
           element_count(window.output) >= enough_pixels;
  }

  const Winograd& winograd() const {
    std::call_once(winograd_once_, [this] {
      winograd_ = std::make_unique<Winograd>(node_.input(1)->constant(), bias_of(node_), ops_);
    });
    return *winograd_;
  }
  const Kernel& direct() const {
    std::call_once(direct_once_, [this] { direct_ = make_product_conv(node_, ops_); });
    return *direct_;
  }

  const Node& node_;
  PostOps ops_;
  WindowAttrs attrs_;
  ConvolutionShape geometry_;
  FusedReference reference_;
  mutable std::once_flag winograd_once_, direct_once_;
  mutable std::unique_ptr<Winograd> winograd_;
  mutable std::unique_ptr<Kernel> direct_;
};

Refusal refuse(const Node& node) {
  if (const Refusal why = refuse_constant_conv(node)) return why;
  if (node.attr_int("group", 1) != 1) return "several groups";
  const Shape& filters = node.input(1)->constant().shape();
  if (!winograd_fits(filters))
    return "filters are not 3x3 over 8 channels and more, or the processor lacks AVX-512";
  const WindowAttrs attrs = read_window(node);
  const auto ones = [](const Shape& list) {
    return std::ranges::all_of(list, [](std::int64_t v) { return v == 1; });
  };
  if (!ones(attrs.strides) || !ones(attrs.dilations)) return "strides or dilations";
  return std::nullopt;
}

std::unique_ptr<Kernel> make(const Node& node) {
  return std::make_unique<WinogradConv>(node, PostOps{});
}
std::unique_ptr<Kernel> make_fused(const Node& node, const PostOps& ops) {
  return std::make_unique<WinogradConv>(node, ops);
}

}  // namespace

void register_vector_winograd_conv(Registry& registry) {
  registry.add({.op = "Conv",
                .impl = "winograd",
                .priority = 18,
                .refuse = refuse,
                .make = make,
                .slices = true,
                .make_fused = make_fused});
}

}  // namespace intaglio
