// NonMaxSuppression: of overlapping boxes keeps the best, class by class.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

struct Box {
  float y1, x1, y2, x2;  // y1 <= y2, x1 <= x2
  float area() const { return (y2 - y1) * (x2 - x1); }
};

// Four numbers of the model: two opposite corners (y, x, y, x), or centre and size (x, y, w, h).
Box box_of(const float* v, bool centred) {
  if (centred) return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
}

bool overlap(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0) return false;
  const float common = height * width;
  return common / (a.area() + b.area() - common) > threshold;
}

struct Limits {
  std::int64_t per_class;
  float iou;
  const float* score;  // null: none
};

// Indices of the kept boxes, best score first.
std::vector<std::int64_t> keep(std::span<const Box> boxes, const float* scores,
                               const Limits& limits) {
  std::vector<std::int64_t> order(boxes.size()), kept;
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](std::int64_t i) {
    return scores[i] != scores[i] || (limits.score != nullptr && scores[i] <= *limits.score);
  });
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  for (const std::int64_t i : order) {
    if (static_cast<std::int64_t>(kept.size()) >= limits.per_class) break;
    const Box& box = boxes[static_cast<std::size_t>(i)];
    if (std::none_of(kept.begin(), kept.end(), [&](std::int64_t k) {
          return overlap(boxes[static_cast<std::size_t>(k)], box, limits.iou);
        }))
      kept.push_back(i);
  }
  return kept;
}

// boxes [batch, n, 4], scores [batch, classes, n] -> rows of (batch, class, box).
std::unique_ptr<Kernel> make_non_max_suppression(const Node& node) {
  return make_kernel([centred = node.attr_int("center_point_box", 0) != 0](KernelContext& c) {
    const Tensor &boxes = c.input(0), &scores = c.input(1);
    if (boxes.rank() != 3 || scores.rank() != 3 || boxes.dim(2) != 4 ||
        boxes.dim(0) != scores.dim(0) || boxes.dim(1) != scores.dim(2))
      throw Error(Code::model, fmt::format("boxes of shape {} do not fit scores of shape {}",
                                           to_string(boxes.shape()), to_string(scores.shape())));
    const Tensor *most = c.optional(2), *iou = c.optional(3), *score = c.optional(4);
    const float least = score != nullptr ? score->item<float>() : 0;
    const Limits limits{most != nullptr ? most->item<std::int64_t>() : 0,
                        iou != nullptr ? iou->item<float>() : 0,
                        score != nullptr ? &least : nullptr};
    const std::int64_t classes = scores.dim(1), count = scores.dim(2);
    std::vector<std::int64_t> rows;
    for (std::int64_t b = 0; b < boxes.dim(0); ++b) {
      std::vector<Box> all;
      for (std::int64_t i = 0; i < count; ++i)
        all.push_back(box_of(boxes.data<float>().data() + (b * count + i) * 4, centred));
      for (std::int64_t k = 0; k < classes; ++k)
        for (const std::int64_t i :
             keep(all, scores.data<float>().data() + (b * classes + k) * count, limits))
          rows.insert(rows.end(), {b, k, i});
    }
    const auto found = static_cast<std::int64_t>(rows.size()) / 3;
    c.set_output(0, Tensor::vector(rows).reshaped({found, 3}));
  });
}

void infer_non_max_suppression(RuleContext& c) { c.set(0, DType::s64, Dims{Dim{}, dim_of(3)}); }

}  // namespace

void register_non_max_suppression(Registry& registry) {
  registry.add({.op = "NonMaxSuppression",
                .since = 10,
                .make = make_non_max_suppression,
                .infer = infer_non_max_suppression});
}

}  // namespace intaglio
