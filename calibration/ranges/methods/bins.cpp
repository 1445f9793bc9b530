#include "calibration/ranges/methods/bins.h"

#include <cassert>
#include <numeric>

namespace intaglio {

double Bins::total() const { return std::accumulate(mass.begin(), mass.end(), 0.0); }

Bins bins_of(const Statistics& statistics) {
  assert(statistics.histogram);
  const Histogram& h = *statistics.histogram;
  if (h.empty()) return {};
  std::int64_t first = h.first(), last = h.last();
  while (first < last && h.count(first) == 0) ++first;
  while (last > first && h.count(last) == 0) --last;
  Bins bins{h.width(), first, {}};
  for (std::int64_t k = first; k <= last; ++k) bins.mass.push_back(static_cast<double>(h.count(k)));
  return bins;
}

}  // namespace intaglio
