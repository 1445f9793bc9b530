// The calibration table of tpu-mlir (1.30.2), as its run_calibration writes it:
//
//   # op_name    threshold    min    max
//   x 2.5 -2.5 2.5                              an input of the model
//   y_Relu 28.0 0 28.0                          a result, with the operator that makes it
//
// The tool's symmetric int8 has the scale threshold / 127 and, where values cannot be negative, u8 with
// threshold / 255; its asymmetric one has (max - min) / 255. So that the first comes out as planned, the
// threshold of symmetric codes is 127 scale.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/rewrite/ranges/ranges.h"

namespace intaglio {

std::string sophgo_text(const ValueRanges& ranges) {
  std::string text = "# op_name    threshold    min    max\n";
  for (const ValueRange& value : ranges.values) {
    if (value.within) continue;
    const bool symmetric = value.signed_zero_point() == 0;
    const double hi = value.hi(), lo = symmetric ? -hi : value.lo();
    text += fmt::format("{}{}{} {:.7g} {:.7g} {:.7g}\n", value.name, value.op.empty() ? "" : "_",
                        value.op, std::max(std::abs(lo), std::abs(hi)), lo, hi);
  }
  return text;
}

}  // namespace intaglio
