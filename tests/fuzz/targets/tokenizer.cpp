// A tokenizer, and a text for it.
#include "calibration/tokens/tokenizer.h"

#include "tests/fuzz/targets/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  intaglio::testing::try_file(data, size, "tokenizer.json", [](const auto& path) {
    intaglio::Tokenizer::read(path).encode("The cat's 12  naïve\n日本 <|end|>[MASK]", true, 9);
  });
  return 0;
}
