#include "lib/exec/samples.h"

#include <utility>

namespace intaglio {

Samples spread(Samples samples, std::size_t count) {
  const std::size_t of = samples.count;
  if (count >= of) return samples;
  const auto at = [of, count](std::size_t i) { return (2 * i + 1) * of / (2 * count); };
  Samples some{count, [load = std::move(samples.load), at](std::size_t i) { return load(at(i)); }};
  if (samples.label)
    some.label = [label = std::move(samples.label), at](std::size_t i) { return label(at(i)); };
  return some;
}

}  // namespace intaglio
