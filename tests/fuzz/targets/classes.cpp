// Names of classes.
#include "calibration/data/labels.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.tsv",
                              [](const auto& path) { intaglio::read_classes(path); });
  return 0;
}
