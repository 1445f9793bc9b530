// Resize (opset 10, 11, 13, 18, 19) and Upsample (opset 7, 9): see lib/exec/ops/resample.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/resample.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

// A scale may be absurd: the length stays within what a shape can say.
std::int64_t within_a_shape(double length) {
  return static_cast<std::int64_t>(std::min(length, 0x1p60));
}

std::int64_t scaled(std::int64_t length, float scale) {
  if (!(scale > 0)) throw Error(Code::model, fmt::format("a scale is {}", scale));
  return within_a_shape(std::floor(static_cast<double>(static_cast<float>(length) * scale)));
}

std::vector<AxisResize> by_scales(const Shape& shape, const Shape& axes,
                                  std::span<const float> scales) {
  if (scales.size() != axes.size())
    throw Error(Code::model, fmt::format("{} scales for {} axes", scales.size(), axes.size()));
  std::vector<AxisResize> result;
  for (const std::int64_t length : shape) result.push_back({.input = length, .output = length});
  for (std::size_t i = 0; i < axes.size(); ++i) {
    AxisResize& axis = result[static_cast<std::size_t>(axes[i])];
    axis.scale = scales[i];
    axis.output = scaled(axis.input, scales[i]);
  }
  return result;
}

std::vector<AxisResize> by_sizes(const Shape& shape, const Shape& axes, const Shape& sizes,
                                 const std::string& policy) {
  if (sizes.size() != axes.size())
    throw Error(Code::model, fmt::format("{} sizes for {} axes", sizes.size(), axes.size()));
  std::vector<float> scales;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t length = shape[static_cast<std::size_t>(axes[i])];
    if (sizes[i] < 0) throw Error(Code::model, fmt::format("a size is {}", sizes[i]));
    if (length == 0 && sizes[i] != 0)
      throw Error(Code::model, fmt::format("a length of 0 cannot become {}", sizes[i]));
    scales.push_back(length == 0 ? 1.0f
                                 : static_cast<float>(sizes[i]) / static_cast<float>(length));
  }
  if (policy != "stretch" && !scales.empty())
    std::ranges::fill(scales,
                      policy == "not_larger" ? std::ranges::min(scales) : std::ranges::max(scales));
  std::vector<AxisResize> result;
  for (const std::int64_t length : shape) result.push_back({.input = length, .output = length});
  for (std::size_t i = 0; i < axes.size(); ++i) {
    AxisResize& axis = result[static_cast<std::size_t>(axes[i])];
    axis.scale = scales[i];
    const double kept = std::floor(scales[i] * static_cast<float>(axis.input) + 0.5f);
    axis.output = policy == "stretch" ? sizes[i] : within_a_shape(kept);
  }
  return result;
}

// Axes are resampled one by one, so that their order is free.
Tensor resample_stored(const Tensor& x, std::vector<AxisResize> plan,
                       const ResampleOptions& options) {
  if (x.layout() == Layout::row_major || plan.size() != x.shape().size())
    return resample(to_row_major(x), plan, options);
  std::rotate(plan.begin() + 1, plan.begin() + 2, plan.end());
  return from_stored(resample(as_stored(x), plan, options));
}

class Resize {
 public:
  explicit Resize(const Node& node)
      : legacy_(node.opset() < 11), axes_(node.attr_ints("axes")), has_axes_(node.has("axes")) {
    options_.mode = node.attr_string("mode", "nearest");
    options_.coordinates =
        legacy_ ? "asymmetric" : node.attr_string("coordinate_transformation_mode", "half_pixel");
    options_.nearest = legacy_ ? "simple" : node.attr_string("nearest_mode", "round_prefer_floor");
    options_.cubic_a = node.attr_float("cubic_coeff_a", -0.75f);
    options_.extrapolation = node.attr_float("extrapolation_value", 0.0f);
    options_.exclude_outside = node.attr_int("exclude_outside", 0) != 0;
    options_.antialias = node.attr_int("antialias", 0) != 0;
    policy_ = node.attr_string("keep_aspect_ratio_policy", "stretch");
    if (policy_ != "stretch" && policy_ != "not_larger" && policy_ != "not_smaller")
      throw Error(Code::model,
                  fmt::format("keep_aspect_ratio_policy '{}' is not defined", policy_));
  }

  void run(KernelContext& context) const {
    const Tensor& x = context.input(0);
    Shape axes = normalized_axes(axes_, x.rank());
    for (int a = 0; !has_axes_ && a < x.rank(); ++a) axes.push_back(a);
    const Tensor* roi = legacy_ ? nullptr : given(context, 1);
    const Tensor* scales = given(context, legacy_ ? 1 : 2);
    const Tensor* sizes = legacy_ ? nullptr : given(context, 3);
    if ((scales == nullptr) == (sizes == nullptr) && x.rank() > 0)
      throw Error(Code::model, "one of scales and sizes must be given");
    std::vector<AxisResize> plan =
        sizes != nullptr    ? by_sizes(x.shape(), axes, sizes->to_vector<std::int64_t>(), policy_)
        : scales != nullptr ? by_scales(x.shape(), axes, scales->to_vector<float>())
                            : std::vector<AxisResize>{};
    if (options_.coordinates == "tf_crop_and_resize") crop(plan, axes, roi);
    context.set_output(0, resample_stored(x, std::move(plan), options_));
  }

 private:
  // An input that is there; opset 11 marks absent ones with a tensor without elements.
  static const Tensor* given(const KernelContext& context, std::size_t i) {
    const Tensor* tensor = context.optional(i);
    return tensor != nullptr && tensor->size() > 0 ? tensor : nullptr;
  }

  static void crop(std::vector<AxisResize>& plan, const Shape& axes, const Tensor* roi) {
    const auto region = roi != nullptr ? roi->to_vector<float>() : std::vector<float>{};
    if (region.size() != 2 * axes.size())
      throw Error(Code::model,
                  fmt::format("roi has {} values for {} axes", region.size(), axes.size()));
    for (std::size_t i = 0; i < axes.size(); ++i) {
      plan[static_cast<std::size_t>(axes[i])].start = region[i];
      plan[static_cast<std::size_t>(axes[i])].end = region[axes.size() + i];
    }
  }

  bool legacy_;  // opset 10: inputs are x and scales
  Shape axes_;
  bool has_axes_;
  ResampleOptions options_;
  std::string policy_;
};

std::unique_ptr<Kernel> make_resize(const Node& node) {
  return make_kernel([resize = Resize(node)](KernelContext& context) { resize.run(context); },
                     Layouts::any);
}

std::unique_ptr<Kernel> make_upsample(const Node& node) {
  ResampleOptions options{.coordinates = "asymmetric", .nearest = "simple"};
  options.mode = node.attr_string("mode", "nearest");
  if (options.mode == "bilinear") options.mode = "linear";
  return make_kernel(
      [options, attr = node.attr_floats("scales")](KernelContext& context) {
        const Tensor& x = context.input(0);
        const Tensor* input = context.optional(1);
        const auto scales = input != nullptr ? input->to_vector<float>() : attr;
        Shape axes;
        for (int a = 0; a < x.rank(); ++a) axes.push_back(a);
        context.set_output(0, resample_stored(x, by_scales(x.shape(), axes, scales), options));
      },
      Layouts::any);
}

// Lengths that are not known stay so; an axis that is not scaled keeps its name.
void infer_scaled(RuleContext& c, const Tensor& scales, std::span<const std::size_t> axes) {
  Dims dims = *c.dims(0);
  const auto values = scales.defined() ? scales.to_vector<float>() : std::vector<float>{};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Dim& d = dims[axes[i]];
    const bool given = i < values.size();
    if (given && values[i] == 1) continue;
    d = given && d.known() ? dim_of(scaled(d.value, values[i])) : Dim{};
  }
  c.set(0, c.dtype(0), dims);
}

// A policy decides on all lengths together, so that all must be known.
void infer_sized(RuleContext& c, const Numbers& sizes, std::span<const std::size_t> axes,
                 const std::string& policy) {
  Dims dims = *c.dims(0);
  if (sizes.size() != axes.size()) throw Error(Code::model, "sizes do not fit the axes");
  Shape lengths, known, places;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (dims[axes[i]].known() && sizes[i].value) {
      known.push_back(*sizes[i].value);
      places.push_back(static_cast<std::int64_t>(axes[i]));
    }
    dims[axes[i]] = policy == "stretch" ? dim_of(sizes[i]) : Dim{};
  }
  c.set(0, c.dtype(0), dims);
  if (policy == "stretch" || known.size() != axes.size()) return;
  for (const Dim& d : *c.dims(0)) lengths.push_back(d.value);
  const auto plan = by_sizes(lengths, places, known, policy);
  for (const std::size_t a : axes) dims[a] = dim_of(plan[a].output);
  c.set(0, c.dtype(0), dims);
}

// Opset 11 marks absent scales and sizes with a tensor without elements.
bool is_given(const RuleContext& c, std::size_t i) {
  const bool empty = c.dims(i) && c.dims(i)->size() == 1 && c.dims(i)->front().value == 0;
  return c.has(i) && !empty;
}

void infer_resize(RuleContext& c) {
  const bool legacy = c.node().opset() < 11;
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : c.node().attr_ints("axes"))
    axes.push_back(axis_of(axis, *c.dims(0)));
  for (std::size_t a = 0; !c.node().has("axes") && a < c.dims(0)->size(); ++a) axes.push_back(a);
  if (!legacy && is_given(c, 3)) {
    const auto sizes = c.numbers(3);
    infer_sized(c, sizes ? *sizes : Numbers(axes.size()), axes,
                c.node().attr_string("keep_aspect_ratio_policy", "stretch"));
  } else {
    infer_scaled(c, c.input(legacy ? 1 : 2).constant, axes);
  }
}

void infer_upsample(RuleContext& c) {
  c.set(0, c.dtype(0));
  if (!c.dims(0)) return;
  std::vector<std::size_t> axes(c.dims(0)->size());
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  infer_scaled(c, c.has(1) ? c.input(1).constant : Tensor::vector(c.node().attr_floats("scales")),
               axes);
}

}  // namespace

void register_resize(Registry& registry) {
  registry.add({.op = "Resize", .since = 10, .make = make_resize, .infer = infer_resize});
  registry.add({.op = "Upsample", .since = 7, .make = make_upsample, .infer = infer_upsample});
}

}  // namespace intaglio
