#include "lib/exec/ops/gather_axes.h"

#include "lib/exec/arguments.h"

namespace intaglio {
namespace {

template <typename T>
class Gather {
 public:
  Gather(const Tensor& x, const AxisIndices& grid, T fill)
      : grid_(grid), strides_(strides_of(x.shape())), fill_(fill) {}

  // Writes the part of the result below `axis`; from is null in a part that is all fill.
  T* run(std::size_t axis, const T* from, T* to) const {
    if (axis == grid_.size()) {
      *to = from != nullptr ? *from : fill_;
      return to + 1;
    }
    const bool last = axis + 1 == grid_.size();
    for (const std::int64_t i : grid_[axis]) {
      const T* part = from != nullptr && i >= 0 ? from + i * strides_[axis] : nullptr;
      if (last) {
        *to++ = part != nullptr ? *part : fill_;
      } else {
        to = run(axis + 1, part, to);
      }
    }
    return to;
  }

 private:
  const AxisIndices& grid_;
  Shape strides_;
  T fill_;
};

}  // namespace

Tensor gather_axes(const Tensor& x, const AxisIndices& grid, const Tensor& fill) {
  Shape shape;
  for (const auto& axis : grid) shape.push_back(static_cast<std::int64_t>(axis.size()));
  Tensor y(x.dtype(), shape);
  if (y.size() == 0) return y;
  visit_width(x, [&](auto zero) {
    using T = decltype(zero);
    const T value = fill.defined() ? *reinterpret_cast<const T*>(fill.raw()) : T{};
    Gather<T>(x, grid, value)
        .run(0, reinterpret_cast<const T*>(x.raw()), reinterpret_cast<T*>(y.raw_mutate()));
  });
  return y;
}

}  // namespace intaglio
