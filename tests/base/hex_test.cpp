#include "lib/base/hex.h"

#include <gtest/gtest.h>

namespace intaglio {
namespace {

TEST(Hex, GoesBothWays) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  const std::string hex = to_hex(bytes);
  EXPECT_EQ(hex.substr(0, 8), "00010203");
  EXPECT_EQ(hex.substr(508), "feff");
  EXPECT_EQ(from_hex(hex), bytes);
  EXPECT_EQ(to_hex(""), "");
}

TEST(Hex, RefusesWhatIsNone) {
  EXPECT_EQ(from_hex("abc"), std::nullopt);
  EXPECT_EQ(from_hex("zz"), std::nullopt);
  EXPECT_EQ(from_hex("AB"), std::nullopt);
}

}  // namespace
}  // namespace intaglio
