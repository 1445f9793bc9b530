// An archive of arrays.
#include "calibration/data/npy.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.npz",
                              [](const auto& path) { intaglio::load_npz(path); });
  return 0;
}
