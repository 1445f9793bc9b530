// Pools over windows, and over whole axes.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lib/tflite/op_table.h"
#include "lib/tflite/padding.h"

namespace intaglio::tflite {
namespace {

Shape kernel_of(const Site& site, const Image& image) {
  Shape kernel = site.node().attr_ints("kernel_shape");
  if (image.row) kernel.insert(kernel.begin(), 1);
  return kernel;
}

void require_dense(Site& site, const Window& w) {
  if (std::ranges::any_of(w.dilations, [](std::int64_t d) { return d != 1; }))
    site.refuse("TFLite has no pool with dilations", "Rewrite the model.");
}

void emit_pool(Site& site, fb::Op op, const Image& image, const Window& w, const Padded& in) {
  fb::Pool2DOptionsT options;
  options.padding = in.padding;
  options.stride_h = static_cast<std::int32_t>(w.strides[0]);
  options.stride_w = static_cast<std::int32_t>(w.strides[1]);
  options.filter_h = static_cast<std::int32_t>(w.kernel[0]);
  options.filter_w = static_cast<std::int32_t>(w.kernel[1]);
  const ImageResult out = image_out(site, image, site.integer() ? &site.in_params(0) : nullptr);
  site.emit(op, {in.tensor}, {out.written}, std::move(options));
  finish_image(site, out);
}

fb::Op reduction_of(const Node& node) {
  if (node.is("ReduceMean") || node.is("GlobalAveragePool")) return fb::Op::MEAN;
  if (node.is("ReduceSum")) return fb::Op::SUM;
  if (node.is("ReduceMin")) return fb::Op::REDUCE_MIN;
  return fb::Op::REDUCE_MAX;
}

// The axes count as in ONNX; without keep_dims they go.
void emit_reduction(Site& site, std::vector<std::int64_t> axes, bool keep_dims) {
  const Perm perm = site.in_order_of(0);
  const int in = site.in(0, perm);
  std::vector<std::int64_t> stored;
  for (const std::int64_t axis : axes)
    stored.push_back(static_cast<std::int64_t>(stored_axis(perm, static_cast<std::size_t>(axis))));
  std::ranges::sort(stored);
  Perm left;
  for (const std::size_t axis : perm) {
    const auto less = std::ranges::count_if(
        axes, [&](std::int64_t a) { return a < static_cast<std::int64_t>(axis); });
    if (std::ranges::find(axes, static_cast<std::int64_t>(axis)) == axes.end())
      left.push_back(axis - static_cast<std::size_t>(less));
  }
  const fb::Op op = reduction_of(site.node());
  const bool picks = op == fb::Op::REDUCE_MAX || op == fb::Op::REDUCE_MIN;
  const Perm& result = keep_dims ? perm : left;
  const int out = picks ? site.moved(0, result) : site.out(0, result);
  fb::ReducerOptionsT options;
  options.keep_dims = keep_dims;
  site.emit(op, {in, site.emitter().ints(stored)}, {out}, std::move(options));
}

void lower_global(Site& site) {
  std::vector<std::int64_t> axes(site.in_shape(0).size() - 2);
  std::iota(axes.begin(), axes.end(), 2);
  emit_reduction(site, std::move(axes), true);
}

}  // namespace

void lower_max_pool(Site& site) {
  if (site.node().output(1) != nullptr)
    site.refuse("TFLite gives no places of maxima", "Rewrite the model without them.");
  const Image image = image_of(site, 0);
  const Window w = window_of(site, image, kernel_of(site, image));
  require_dense(site, w);
  const Padded in = padded(site, image_in(site, image), w, PadWith::lowest);
  emit_pool(site, fb::Op::MAX_POOL_2D, image, w, in);
}

// TFLite leaves pads out of the mean.
void lower_average_pool(Site& site) {
  const Image image = image_of(site, 0);
  const Window w = window_of(site, image, kernel_of(site, image));
  require_dense(site, w);
  const auto padding = padding_of(w);
  const bool counts = site.node().attr_int("count_include_pad", 0) != 0;
  if (padding == fb::Padding::VALID || (padding && !counts))
    return emit_pool(site, fb::Op::AVERAGE_POOL_2D, image, w, {image_in(site, image), *padding});
  if (!counts || site.node().attr_int("ceil_mode", 0) != 0)
    site.refuse("TFLite has no mean over windows with these pads",
                "Give the pool count_include_pad=1 and no ceil_mode, or the pads of SAME.");
  const Padded in = pad(site, image_in(site, image), w, PadWith::zero);
  emit_pool(site, fb::Op::AVERAGE_POOL_2D, image, w, in);
}

void lower_global_average_pool(Site& site) { lower_global(site); }

void lower_global_max_pool(Site& site) { lower_global(site); }

void lower_reduce(Site& site) {
  const Node& node = site.node();
  const auto rank = static_cast<std::int64_t>(site.in_shape(0).size());
  std::vector<std::int64_t> axes = node.attr_ints("axes");
  if (site.has_input(1)) axes = site.needed_ints(1, "axes");
  if (axes.empty() && node.attr_int("noop_with_empty_axes", 0) != 0) return lower_identity(site);
  if (axes.empty()) {
    axes.resize(static_cast<std::size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (std::int64_t& axis : axes) axis = normalized_axis(axis, rank);
  emit_reduction(site, std::move(axes), node.attr_int("keepdims", 1) != 0);
}

}  // namespace intaglio::tflite
