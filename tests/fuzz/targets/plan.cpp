// A saved plan.
#include "lib/quant/plan.h"
#include "lib/base/json.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "x.json", [](const auto& path) {
    intaglio::plan_from_json(intaglio::read_json_file(path), path.string());
  });
  return 0;
}
