// The loops that the entropy method spends its time in. Their results do not depend on the
// processor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace intaglio {

// Where codes meet, in bins: the border below code `lowest + k` lies scale * (lowest + k - 0.5)
// from zero, and the first bin whose centre is not left of it is ceil(border / width - 0.5) -
// first, kept within [begin, end]. `lowest` counts from the zero point.
struct Borders {
  double lowest, scale, width, first;
  std::int32_t begin, end;
};
void place_borders(const Borders& borders, std::int32_t* bins, std::size_t count);

// x[i] = log(mass[i] / filled[i]), or 0 where there is no mass; off by 1e-15 of it, or of 1, at
// most.
void logarithms(const double* mass, const double* filled, double* x, std::size_t count);

double sum_of_products(const double* x, const double* y, std::size_t count);

}  // namespace intaglio
