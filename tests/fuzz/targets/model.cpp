// A model, taken the way that the build names: run, check, qdq, ...
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_model(data, size, intaglio::testing::Way::INTAGLIO_WAY);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  return intaglio::testing::mutate_model(data, size, most, seed);
}
