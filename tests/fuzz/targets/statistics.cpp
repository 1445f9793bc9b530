// A file of statistics.
#include "calibration/statistics/statistics_file.h"
#include "lib/base/hash.h"
#include "lib/base/hex.h"
#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The checksum at the end is made right, or nothing would be read.
  constexpr std::size_t digest = 32;
  if (size < digest) return 0;
  const std::string body(reinterpret_cast<const char*>(data), size - digest);
  const std::string bytes = body + *intaglio::from_hex(intaglio::sha256(body));
  intaglio::testing::try_file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                              "x.stats", [](const auto& path) { intaglio::read_statistics(path); });
  return 0;
}
