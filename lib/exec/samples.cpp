#include "lib/exec/samples.h"

#include <utility>

namespace intaglio {

namespace {

// `count` of the samples: number i is number at(i) of them.
template <typename At>
Samples chosen(Samples samples, std::size_t count, At at) {
  Samples some{count, [load = std::move(samples.load), at](std::size_t i) { return load(at(i)); }};
  if (samples.label)
    some.label = [label = std::move(samples.label), at](std::size_t i) { return label(at(i)); };
  if (samples.name)
    some.name = [name = std::move(samples.name), at](std::size_t i) { return name(at(i)); };
  some.fault = std::move(samples.fault);
  return some;
}

}  // namespace

Error none_loaded(const Samples& samples) {
  if (samples.fault) return samples.fault();
  return Error(Code::data, "no sample could be loaded", "Check `data` and `preprocess`.");
}

Samples spread(Samples samples, std::size_t count) {
  const std::size_t of = samples.count;
  if (count >= of) return samples;
  return chosen(std::move(samples), count,
                [of, count](std::size_t i) { return middle_of_part(i, count, of); });
}

Samples every_nth(Samples samples, std::size_t n) {
  const std::size_t middle = n / 2, count = (samples.count + n - 1 - middle) / n;
  return chosen(std::move(samples), count, [=](std::size_t i) { return i * n + middle; });
}

Samples without_every(Samples samples, std::size_t n) {
  const std::size_t middle = n / 2;
  const std::size_t count = samples.count - (samples.count + n - 1 - middle) / n;
  // The i-th of n - 1 in each part, past the one in its middle.
  return chosen(std::move(samples), count, [=](std::size_t i) {
    const std::size_t part = i / (n - 1), within = i % (n - 1);
    return part * n + within + (within >= middle ? 1 : 0);
  });
}

}  // namespace intaglio
