#include "calibration/tokens/text_rows.h"

#include <gtest/gtest.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "tests/calibration/tokens/tokenizers.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;
using Rows = std::vector<std::vector<std::int64_t>>;

class TextRowsTest : public ::testing::Test {
 protected:
  const std::filesystem::path folder = fresh_folder();

  void SetUp() override {
    write_file(folder / "bytes.json", byte_level_tokenizer(byte_level()).dump());
    write_file(folder / "words.json", bert_tokenizer().dump());
  }

  TextReader reader(const std::string& tokenizer, std::optional<std::size_t> length,
                    std::optional<std::size_t> takes = std::nullopt) {
    return TextReader({folder / tokenizer, length}, takes);
  }

  TextRows read(const TextReader& from, const std::string& text) {
    write_file(folder / "text.txt", text);
    return from.read(folder / "text.txt");
  }

  Error fault(const TextReader& from, const std::string& text) {
    try {
      read(from, text);
    } catch (const Error& e) {
      return e;
    }
    return Error(Code::internal, "no error");
  }
};

TEST_F(TextRowsTest, WindowsFollowEachOther) {
  const TextRows text = read(reader("bytes.json", 3), "hello world\nab\n");
  EXPECT_EQ(text.rows, (Rows{{259, 264, 10}, {97, 98, 10}}));
  EXPECT_EQ(text.left_over, 0u);
  EXPECT_EQ(read(reader("bytes.json", 4), "hello world\nab\n").left_over, 2u);
  EXPECT_EQ(read(reader("bytes.json", {}, 2), "abcd").rows, (Rows{{97, 98}, {99, 100}}));
}

TEST_F(TextRowsTest, LinesAreCutOff) {
  const TextReader lines = reader("words.json", 4);
  EXPECT_TRUE(lines.by_line());
  EXPECT_EQ(read(lines, "the cats!\r\n\n \t\nthe cat").rows, (Rows{{2, 5, 6, 3}, {2, 5, 6, 3}}));
  EXPECT_EQ(read(lines, "the\nthe cat").rows, (Rows{{2, 5, 3}, {2, 5, 6, 3}}));
  EXPECT_FALSE(lines.padding());
}

TEST_F(TextRowsTest, LinesAreFilledUpWhereTheModelFixesALength) {
  const TextReader lines = reader("words.json", {}, 5);
  EXPECT_EQ(read(lines, "the\nthe cats!").rows, (Rows{{2, 5, 3, 0, 0}, {2, 5, 6, 7, 3}}));
  EXPECT_EQ(lines.padding(), 0);
}

TEST_F(TextRowsTest, TextThatMakesNoSequenceIsAnError) {
  const TextReader windows = reader("bytes.json", {});
  for (const std::string text : {"", " \n\t", "too short", "abc\xff"}) {
    const Error e = fault(windows, text);
    EXPECT_EQ(e.code(), Code::data);
    EXPECT_TRUE(std::string(e.what()).starts_with((folder / "text.txt").string() + ": "))
        << e.what();
    EXPECT_FALSE(e.remedy().empty());
  }
  EXPECT_NE(std::string(fault(windows, "ab cd").what())
                .find("5 tokens are less than one sequence of 256"),
            std::string::npos);
  EXPECT_EQ(fault(reader("words.json", 4), "\n\n").code(), Code::data);
  EXPECT_THROW(windows.read(folder / "none.txt"), Error);
}

TEST_F(TextRowsTest, LengthsThatCannotBe) {
  for (const auto& [length, takes] :
       std::vector<std::pair<std::size_t, std::optional<std::size_t>>>{{0, {}}, {64, 128}}) {
    try {
      reader("bytes.json", length, takes);
      ADD_FAILURE() << length;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::usage);
    }
  }
}

}  // namespace
}  // namespace intaglio
