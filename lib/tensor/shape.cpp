#include "lib/tensor/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/base/error.h"

namespace intaglio {

std::int64_t element_count(std::span<const std::int64_t> shape) {
  constexpr std::int64_t limit = std::int64_t{1} << 62;
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t length : shape) {
    if (length < 0)
      throw Error(Code::model, fmt::format("shape {} has a negative length", to_string(shape)));
    if (length == 0) {
      empty = true;
    } else if (count > limit / length) {
      throw Error(Code::model,
                  fmt::format("shape {} has more elements than any memory", to_string(shape)));
    } else {
      count *= length;
    }
  }
  return empty ? 0 : count;
}

std::string to_string(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

Shape strides_of(std::span<const std::int64_t> shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

std::int64_t normalized_axis(std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank)
    throw Error(Code::model, fmt::format("axis {} is out of range for rank {}", axis, rank));
  return axis < 0 ? axis + rank : axis;
}

std::int64_t product(std::span<const std::int64_t> shape, std::size_t first, std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t i = first; i < last; ++i) result *= shape[i];
  return result;
}

}  // namespace intaglio
