// A recipe of preprocessing.
#include "calibration/data/recipe.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.json",
                              [](const auto& path) { intaglio::load_recipe(path.string()); });
  return 0;
}
