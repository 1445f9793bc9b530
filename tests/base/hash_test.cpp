#include "lib/base/hash.h"

#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio {

class Sha256Twins {
 public:
  static std::string plain(std::string_view text) {
    Sha256 hash;
    std::size_t at = 0;
    for (; at + 64 <= text.size(); at += 64, hash.length_ += 64)
      hash.block_plain(reinterpret_cast<const std::uint8_t*>(text.data()) + at);
    return hash.add(text.substr(at)).hex();
  }
};

namespace {

TEST(Sha256, InstructionsGiveTheSameAsThePlainCode) {
  std::string text;
  for (int i = 0; i < 6400; ++i) text += static_cast<char>(i * 31 + i / 7);
  EXPECT_EQ(sha256(text), Sha256Twins::plain(text));
}

// FIPS 180-4 examples (NIST, "Secure Hash Standard examples with intermediate values") and the
// empty text.
TEST(Sha256, KnownVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Every length around the block borders, fed whole and in uneven pieces.
TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string_view whole = std::string_view(text).substr(0, length);
    Sha256 pieces;
    for (std::size_t at = 0, step = 1; at < length; at += step, step = step * 3 % 71)
      pieces.add(whole.substr(at, step));
    ASSERT_EQ(pieces.hex(), sha256(whole)) << length;
  }
}

TEST(Sha256, OfAFile) {
  const auto path = testing::fresh_folder() / "abc";
  write_file(path, "abc");
  EXPECT_EQ(sha256_of_file(path), sha256("abc"));
  write_file(path, "");
  EXPECT_EQ(sha256_of_file(path), sha256(""));
}

}  // namespace
}  // namespace intaglio
