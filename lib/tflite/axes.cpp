#include "lib/tflite/axes.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace intaglio::tflite {
namespace {

// The axes that are longer than 1, in the order in which they are stored.
Perm long_axes(const Shape& shape, const Perm& perm) {
  Perm axes;
  for (const std::size_t axis : perm)
    if (shape[axis] != 1) axes.push_back(axis);
  return axes;
}

// Axes [from, from_end) of one shape become [to, to_end) of another.
struct Group {
  std::size_t from, from_end, to, to_end;
};

// The smallest groups of long axes with equal products.
std::vector<Group> groups_of(const Shape& from, const Perm& a, const Shape& to, const Perm& b) {
  std::vector<Group> groups;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    Group group{i, i + 1, j, j + 1};
    std::int64_t left = from[a[i]], right = to[b[j]];
    while (left != right) {
      if (left < right && group.from_end < a.size())
        left *= from[a[group.from_end++]];
      else if (right < left && group.to_end < b.size())
        right *= to[b[group.to_end++]];
      else
        return {};
    }
    groups.push_back(group);
    i = group.from_end, j = group.to_end;
  }
  return groups;
}

// The order of ONNX, or channels last for images, if it stores the long axes so.
std::optional<Perm> wanted_order(const Shape& shape, const Perm& long_order) {
  const Perm plain = in_order(shape.size()), last = channels_last(shape.size());
  const bool image = shape.size() == 4;
  for (const Perm& perm : {image ? last : plain, image ? plain : last})
    if (long_axes(shape, perm) == long_order) return perm;
  return std::nullopt;
}

// Each axis of length 1 goes behind the axis before it.
Perm with_short_axes(const Shape& shape, Perm order) {
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] != 1) continue;
    const auto before = axis == 0 ? order.end() : std::ranges::find(order, axis - 1);
    order.insert(before == order.end() ? order.begin() : before + 1, axis);
  }
  return order;
}

}  // namespace

Perm in_order(std::size_t rank) {
  Perm perm(rank);
  std::iota(perm.begin(), perm.end(), std::size_t{0});
  return perm;
}

Perm channels_last(std::size_t rank) {
  Perm perm = in_order(rank);
  if (rank > 2) std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
  return perm;
}

Shape permuted(const Shape& shape, const Perm& perm) {
  Shape result;
  for (const std::size_t axis : perm) result.push_back(shape[axis]);
  return result;
}

Tensor permuted(const Tensor& tensor, const Perm& perm) {
  const Tensor from = to_row_major(tensor);
  const Shape strides = permuted(strides_of(from.shape()), perm);
  const Shape shape = permuted(from.shape(), perm);
  Tensor result(from.dtype(), shape);
  const std::size_t bytes = bits_of(from.dtype()) / 8;
  std::byte* to = result.raw_mutate();
  Shape at(shape.size(), 0);
  for (std::int64_t i = 0; i < from.size(); ++i, to += bytes) {
    const auto offset = std::inner_product(at.begin(), at.end(), strides.begin(), std::int64_t{0});
    std::memcpy(to, from.raw() + static_cast<std::size_t>(offset) * bytes, bytes);
    for (std::size_t axis = shape.size(); axis-- > 0 && ++at[axis] == shape[axis];) at[axis] = 0;
  }
  return result;
}

std::size_t stored_axis(const Perm& perm, std::size_t axis) {
  return static_cast<std::size_t>(std::ranges::find(perm, axis) - perm.begin());
}

Perm between(const Perm& from, const Perm& to) {
  Perm result;
  for (const std::size_t axis : to) result.push_back(stored_axis(from, axis));
  return result;
}

bool same_places(const Shape& shape, const Perm& a, const Perm& b) {
  return long_axes(shape, a) == long_axes(shape, b);
}

std::optional<Perm> reshaped(const Shape& from, const Perm& stored, const Shape& to) {
  const Perm a = long_axes(from, in_order(from.size())), b = long_axes(to, in_order(to.size()));
  const Perm order = long_axes(from, stored);
  const std::vector<Group> groups = groups_of(from, a, to, b);
  if (groups.empty() && !a.empty()) return std::nullopt;
  Perm result;
  for (std::size_t at = 0; at < order.size();) {
    const auto group =
        std::ranges::find_if(groups, [&](const Group& g) { return a[g.from] == order[at]; });
    if (group == groups.end()) return std::nullopt;
    for (std::size_t i = group->from; i < group->from_end; ++i, ++at)
      if (at >= order.size() || order[at] != a[i]) return std::nullopt;
    for (std::size_t j = group->to; j < group->to_end; ++j) result.push_back(b[j]);
  }
  if (auto wanted = wanted_order(to, result)) return wanted;
  return with_short_axes(to, std::move(result));
}

Perm reshapable(const Shape& from, const Perm& stored, const Shape& to) {
  const Perm a = long_axes(from, in_order(from.size())), b = long_axes(to, in_order(to.size()));
  Perm result;
  for (const std::size_t axis : long_axes(from, stored)) {
    if (std::ranges::find(result, axis) != result.end()) continue;
    for (const Group& group : groups_of(from, a, to, b)) {
      const auto first = a.begin() + static_cast<std::ptrdiff_t>(group.from);
      const auto last = a.begin() + static_cast<std::ptrdiff_t>(group.from_end);
      if (std::find(first, last, axis) != last) result.insert(result.end(), first, last);
    }
  }
  if (result.size() != a.size()) return in_order(from.size());
  return with_short_axes(from, std::move(result));
}

}  // namespace intaglio::tflite
