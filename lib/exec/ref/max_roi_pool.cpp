// MaxRoiPool: the maxima of a grid of cells in each region ("Fast R-CNN", Girshick 2015). A region
// is [sample, x1, y1, x2, y2], its ends included.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/exec/ops/precision.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct Extent {
  std::int64_t start;
  double cell;

  // Ends are included; a region has at least one pixel.
  Extent(float first, float last, float scale, std::int64_t cells) {
    constexpr double limit = 1e9;
    const double from = std::round(static_cast<double>(first * scale));
    const double to = std::round(static_cast<double>(last * scale));
    if (!(std::abs(from) < limit && std::abs(to) < limit))
      throw Error(Code::model, "a region is out of range");
    start = static_cast<std::int64_t>(from);
    cell = std::max(to - from + 1, 1.0) / static_cast<double>(cells);
  }
  std::int64_t edge(double at, std::int64_t length) const {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(at) + start, 0, length);
  }
  std::int64_t begin(std::int64_t i, std::int64_t length) const {
    return edge(std::floor(static_cast<double>(i) * cell), length);
  }
  std::int64_t end(std::int64_t i, std::int64_t length) const {
    return edge(std::ceil(static_cast<double>(i + 1) * cell), length);
  }
};

std::unique_ptr<Kernel> make_max_roi_pool(const Node& node) {
  const Shape pooled = node.attr_ints("pooled_shape");
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1)
    throw Error(Code::model, "pooled_shape " + to_string(pooled));
  return make_kernel([pooled, scale = node.attr_float("spatial_scale", 1.0f)](KernelContext& c) {
    const Tensor x = as_float(c.input(0)), regions = as_float(c.input(1));
    require_rank(x, 4, "input");
    if (regions.rank() != 2 || regions.dim(1) != 5)
      throw Error(Code::model, "regions of shape " + to_string(regions.shape()));
    Tensor y(DType::f32, {regions.dim(0), x.dim(1), pooled[0], pooled[1]});
    float* out = y.mutate<float>().data();
    const float* region = regions.data<float>().data();
    for (std::int64_t r = 0; r < regions.dim(0); ++r, region += 5) {
      if (!(region[0] >= 0 && region[0] < static_cast<float>(x.dim(0))))
        throw Error(Code::model, fmt::format("region {} is of sample {}", r, region[0]));
      const float* image =
          x.data<float>().data() + static_cast<std::int64_t>(region[0]) * product(x.shape(), 1, 4);
      const Extent rows(region[2], region[4], scale, pooled[0]);
      const Extent columns(region[1], region[3], scale, pooled[1]);
      for (std::int64_t ch = 0; ch < x.dim(1); ++ch, image += x.dim(2) * x.dim(3))
        for (std::int64_t i = 0; i < pooled[0]; ++i)
          for (std::int64_t j = 0; j < pooled[1]; ++j, ++out) {
            const std::int64_t top = rows.begin(i, x.dim(2)), bottom = rows.end(i, x.dim(2));
            const std::int64_t left = columns.begin(j, x.dim(3)), right = columns.end(j, x.dim(3));
            const bool none = top >= bottom || left >= right;
            *out = none ? 0 : image[top * x.dim(3) + left];
            for (std::int64_t h = top; h < bottom; ++h)
              for (std::int64_t w = left; w < right; ++w)
                *out = std::max(*out, image[h * x.dim(3) + w]);
          }
    }
    set_float_output(c, 0, std::move(y), c.input(0).dtype());
  });
}

void infer_max_roi_pool(RuleContext& c) {
  Dims dims(2);
  if (c.dims(1)) dims[0] = c.dims(1)->at(0);
  if (c.dims(0)) dims[1] = c.dims(0)->at(1);
  for (const std::int64_t length : c.node().attr_ints("pooled_shape"))
    dims.push_back(dim_of(length));
  c.set(0, c.dtype(0), dims);
}

}  // namespace

void register_max_roi_pool(Registry& registry) {
  registry.add({.op = "MaxRoiPool", .make = make_max_roi_pool, .infer = infer_max_roi_pool});
}

}  // namespace intaglio
