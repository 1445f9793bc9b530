// A description of a target.
#include "lib/quant/target.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.json",
                              [](const auto& path) { intaglio::read_target(path); });
  return 0;
}
