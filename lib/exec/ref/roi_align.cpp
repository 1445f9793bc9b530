// RoiAlign (opset 10; 16 adds half-pixel coordinates): bilinear samples of a grid of cells in each
// region ("Mask R-CNN", He et al. 2017), averaged or with their largest weighted corner.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct RoiOptions {
  std::int64_t height, width, samples;  // samples per cell and axis; 0: as many as it has pixels
  float scale;
  bool half_pixel, maximum;
};

// Two neighbours along one axis and their weights; none: the sample is outside.
struct Neighbours {
  std::int64_t low = 0, high = 0;
  float high_weight = 0;
  bool outside = false;

  Neighbours(float at, std::int64_t length) {
    outside = !(at >= -1.0f && at <= static_cast<float>(length)) || length == 0;
    if (outside) return;
    at = std::max(at, 0.0f);
    low = std::min(static_cast<std::int64_t>(at), length - 1);
    high = std::min(low + 1, length - 1);
    high_weight = low == length - 1 ? 0 : at - static_cast<float>(low);
  }
};

// The samples of one region along one axis, those of a cell one after the other.
struct AxisSamples {
  std::int64_t per_cell;
  std::vector<Neighbours> places;

  AxisSamples(float first, float last, std::int64_t cells, std::int64_t length,
              const RoiOptions& o) {
    const float offset = o.half_pixel ? 0.5f : 0.0f, start = first * o.scale - offset;
    float extent = last * o.scale - offset - start;
    if (!o.half_pixel) extent = std::max(extent, 1.0f);
    const float cell = extent / static_cast<float>(cells);
    constexpr float most = 1 << 14;
    if (!(std::abs(start) < 1e9f && cell < most))
      throw Error(Code::model, fmt::format("a region from {} to {} is out of range", first, last));
    per_cell = o.samples > 0 ? o.samples : std::max<std::int64_t>(0, std::llround(std::ceil(cell)));
    for (std::int64_t i = 0; i < cells; ++i)
      for (std::int64_t s = 0; s < per_cell; ++s)
        places.emplace_back(
            start + static_cast<float>(i) * cell +
                (static_cast<float>(s) + 0.5f) * cell / static_cast<float>(per_cell),
            length);
  }
};

float pool_cell(const float* image, std::int64_t pitch, std::span<const Neighbours> rows,
                std::span<const Neighbours> columns, bool maximum) {
  float sum = 0, largest = 0;
  bool first = true;
  for (const Neighbours& y : rows)
    for (const Neighbours& x : columns) {
      std::array<float, 4> corners{};
      if (!y.outside && !x.outside)
        corners = {(1 - y.high_weight) * (1 - x.high_weight) * image[y.low * pitch + x.low],
                   (1 - y.high_weight) * x.high_weight * image[y.low * pitch + x.high],
                   y.high_weight * (1 - x.high_weight) * image[y.high * pitch + x.low],
                   y.high_weight * x.high_weight * image[y.high * pitch + x.high]};
      const float best = *std::max_element(corners.begin(), corners.end());
      largest = first ? best : std::max(largest, best);
      first = false;
      for (const float corner : corners) sum += corner;
    }
  const auto count = std::max<std::size_t>(1, rows.size() * columns.size());
  return maximum ? largest : sum / static_cast<float>(count);
}

Tensor roi_align(const Tensor& x, const Tensor& rois, const std::vector<std::int64_t>& samples,
                 const RoiOptions& o) {
  Tensor y(DType::f32, {rois.dim(0), x.dim(1), o.height, o.width});
  float* out = y.mutate<float>().data();
  const float* roi = rois.data<float>().data();
  for (const std::int64_t sample : samples) {
    const AxisSamples rows(roi[1], roi[3], o.height, x.dim(2), o);
    const AxisSamples columns(roi[0], roi[2], o.width, x.dim(3), o);
    roi += 4;
    const float* image =
        x.data<float>().data() + checked_index(sample, x.dim(0)) * product(x.shape(), 1, 4);
    const auto of = [](const AxisSamples& all, std::int64_t cell) {
      return std::span(all.places)
          .subspan(static_cast<std::size_t>(cell * all.per_cell),
                   static_cast<std::size_t>(all.per_cell));
    };
    for (std::int64_t c = 0; c < x.dim(1); ++c, image += x.dim(2) * x.dim(3))
      for (std::int64_t i = 0; i < o.height; ++i)
        for (std::int64_t j = 0; j < o.width; ++j)
          *out++ = pool_cell(image, x.dim(3), of(rows, i), of(columns, j), o.maximum);
  }
  return y;
}

std::unique_ptr<Kernel> make_roi_align(const Node& node) {
  const bool half = node.opset() >= 16 && node.attr_string("coordinate_transformation_mode",
                                                           "half_pixel") == "half_pixel";
  const RoiOptions options{node.attr_int("output_height", 1),
                           node.attr_int("output_width", 1),
                           node.attr_int("sampling_ratio", 0),
                           node.attr_float("spatial_scale", 1),
                           half,
                           node.attr_string("mode", "avg") == "max"};
  if (options.height < 1 || options.width < 1 || options.samples > 1 << 14)
    throw Error(Code::model, "the output size or sampling_ratio makes no sense");
  return make_kernel([options](KernelContext& c) {
    const Tensor x = as_float(c.input(0)), rois = as_float(c.input(1));
    require_rank(x, 4, "input");
    const auto samples = c.input(2).to_vector<std::int64_t>();
    if (rois.rank() != 2 || rois.dim(1) != 4 || rois.dim(0) != c.input(2).size())
      throw Error(Code::model, "regions of shape " + to_string(rois.shape()) + " for samples of " +
                                   to_string(c.input(2).shape()));
    set_float_output(c, 0, roi_align(x, rois, samples, options), c.input(0).dtype());
  });
}

void infer_roi_align(RuleContext& c) {
  Dims dims(2);
  if (c.dims(1)) dims[0] = c.dims(1)->at(0);
  if (c.dims(0)) dims[1] = c.dims(0)->at(1);
  for (const char* attr : {"output_height", "output_width"})
    dims.push_back(dim_of(c.node().attr_int(attr, 1)));
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_roi_align(Registry& registry) {
  registry.add({.op = "RoiAlign", .since = 10, .make = make_roi_align, .infer = infer_roi_align});
}

}  // namespace intaglio
