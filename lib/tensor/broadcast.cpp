#include "lib/tensor/broadcast.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"

namespace intaglio {

Shape broadcast_shapes(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  Shape result(std::max(a.size(), b.size()));
  for (std::size_t i = 1; i <= result.size(); ++i) {
    const std::int64_t x = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t y = i <= b.size() ? b[b.size() - i] : 1;
    if (x != y && x != 1 && y != 1)
      throw Error(Code::model,
                  fmt::format("shapes {} and {} do not broadcast", to_string(a), to_string(b)));
    result[result.size() - i] = x == 1 ? y : x;
  }
  return result;
}

Shape broadcast_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> target) {
  const Shape own = strides_of(shape);
  Shape result(target.size(), 0);
  const std::size_t lead = target.size() - shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) result[lead + i] = shape[i] == 1 ? 0 : own[i];
  return result;
}

}  // namespace intaglio
