#include "lib/eval/decoders_lists.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace intaglio {
namespace {

constexpr std::size_t labels_role = 2, count_role = 3;  // of suppressed boxes

bool named(const OutputType& output, std::initializer_list<std::string_view> words) {
  std::string name = output.name;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

bool holds_boxes(const OutputType& output, std::size_t rank) {
  return output.shape.size() == rank && output.shape.back() == 4 && is_float(output.dtype);
}

// The only one, or the only one that is named so.
std::optional<std::size_t> only_box(const Signature& signature, std::size_t rank) {
  std::vector<std::size_t> all, called;
  for (std::size_t o = 0; o < signature.outputs.size(); ++o) {
    if (!holds_boxes(signature.outputs[o], rank)) continue;
    all.push_back(o);
    if (named(signature.outputs[o], {"box"})) called.push_back(o);
  }
  if (all.size() == 1) return all.front();
  if (called.size() == 1) return called.front();
  return std::nullopt;
}

Box corners(const Array& boxes, std::int64_t k) {
  const float* v = boxes.values.data() + 4 * k;
  return {v[0], v[1], v[2], v[3]};
}

// Labels and counts may come as floats; -1 for what is no number of things.
std::int64_t whole(float value) {
  return value >= 0 && value < 1e9f ? static_cast<std::int64_t>(value) : -1;
}

}  // namespace

std::vector<std::size_t> ssd_roles(const Signature& signature, bool) {
  const auto boxes = only_box(signature, 3);
  if (!boxes) return {};
  const Shape& shape = signature.outputs[*boxes].shape;
  for (std::size_t o = 0; o < signature.outputs.size(); ++o) {
    const OutputType& scores = signature.outputs[o];
    if (o != *boxes && is_float(scores.dtype) && scores.shape.size() == 3 &&
        scores.shape[0] == shape[0] && scores.shape[1] == shape[1] && scores.shape[2] >= 2)
      return {*boxes, o};
  }
  return {};
}

std::vector<std::size_t> suppressed_roles(const Signature& signature, bool asked) {
  if (!asked && !signature.suppresses) return {};
  auto boxes = only_box(signature, 3);
  if (!boxes) boxes = only_box(signature, 2);
  if (!boxes) return {};
  Shape each = signature.outputs[*boxes].shape;
  each.pop_back();
  std::vector<std::size_t> scores, labels, counts;
  for (std::size_t o = 0; o < signature.outputs.size(); ++o) {
    const OutputType& output = signature.outputs[o];
    if (o == *boxes) continue;
    if (output.shape == each && !named(output, {"num"})) {
      const bool is_label = !is_float(output.dtype) || named(output, {"class", "label", "cls"});
      (is_label && !named(output, {"score", "conf"}) ? labels : scores).push_back(o);
    } else if (named(output, {"num"}) &&
               element_count(output.shape) == (each.size() == 2 ? each[0] : 1)) {
      counts.push_back(o);
    }
  }
  if (scores.size() != 1 || labels.size() != 1 || counts.size() > 1) return {};
  std::vector<std::size_t> roles = {*boxes, scores.front(), labels.front()};
  roles.insert(roles.end(), counts.begin(), counts.end());
  return roles;
}

Detections decode_ssd(const Scene& scene) {
  const Array &boxes = scene.arrays[boxes_role], &scores = scene.arrays[scores_role];
  const std::int64_t places = boxes.shape[1], classes = scores.shape[2];
  Detections found;
  for (std::int64_t k = scene.item * places; k < (scene.item + 1) * places; ++k)
    for (std::int64_t c = 1; c < classes; ++c) {
      const float score = scores.values[static_cast<std::size_t>(k * classes + c)];
      if (score >= scene.score) found.push_back({corners(boxes, k), score, c});
    }
  return found;
}

Detections decode_suppressed(const Scene& scene) {
  const Array &boxes = scene.arrays[boxes_role], &scores = scene.arrays[scores_role],
              &labels = scene.arrays[labels_role];
  const std::int64_t places = boxes.shape[boxes.shape.size() - 2], first = scene.item * places;
  std::int64_t count = places;
  if (scene.arrays.size() > count_role)
    count = std::min(count,
                     whole(scene.arrays[count_role].values[static_cast<std::size_t>(scene.item)]));
  Detections found;
  for (std::int64_t k = first; k < first + count; ++k) {
    const auto i = static_cast<std::size_t>(k);
    if (scores.values[i] >= scene.score)
      found.push_back({corners(boxes, k), scores.values[i], whole(labels.values[i])});
  }
  return found;
}

}  // namespace intaglio
