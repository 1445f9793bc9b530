// A picture, of any of the formats.
#include "calibration/data/image.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.jpg",
                              [](const auto& path) { intaglio::read_image(path); });
  return 0;
}
