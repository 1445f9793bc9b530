// An array file.
#include "calibration/data/npy.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.npy",
                              [](const auto& path) { intaglio::load_npy(path); });
  return 0;
}
