// Labels of samples.
#include "calibration/data/labels.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.csv",
                              [](const auto& path) { intaglio::Labels::read(path); });
  return 0;
}
