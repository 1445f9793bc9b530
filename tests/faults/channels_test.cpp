// Standard channels that are closed or full: messages that nobody can read change nothing, results
// that cannot be written are an error with one message.
#include <gtest/gtest.h>

#include "tests/faults/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::count_of;
using testing::data;
using testing::fresh_folder;
using testing::quick;
using testing::Ran;
using testing::shell;

#define SKIP_WITHOUT_DEV_FULL \
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here"

TEST(Channels, WithoutStderrTheExitCodeIsTheSame) {
  SKIP_WITHOUT_DEV_FULL;
  for (const char* channel : {"2>&-", "2>/dev/full", "2>&- <&-"}) {
    const std::string end = std::string(" ") + channel;
    EXPECT_EQ(shell("\"$0\" inspect no/such.onnx" + end).exit_code, 4) << channel;
    EXPECT_EQ(shell("\"$0\" --frobnicate" + end).exit_code, 2) << channel;
    EXPECT_EQ(shell("\"$0\" inspect '" + data("demo.onnx") + "'" + end).exit_code, 0) << channel;
  }
}

TEST(Channels, WithoutStderrTheResultIsTheSame) {
  SKIP_WITHOUT_DEV_FULL;
  const fs::path folder = fresh_folder();
  ASSERT_EQ(shell("\"$0\"" + quick(folder / "a.onnx")).exit_code, 0);
  for (const char* channel : {"2>&-", "2>/dev/full", "0<&- 2>&-"}) {
    const Ran ran = shell("\"$0\" --verbose" + quick(folder / "b.onnx") + channel);
    EXPECT_EQ(ran.exit_code, 0) << channel;
    EXPECT_NE(ran.out.find("b.onnx"), std::string::npos) << channel;
    EXPECT_EQ(read_file(folder / "a.onnx"), read_file(folder / "b.onnx")) << channel;
    fs::remove(folder / "b.onnx");
  }
}

TEST(Channels, AGateIsMissedWithoutStderrToo) {
  SKIP_WITHOUT_DEV_FULL;
  const fs::path out = fresh_folder() / "a.onnx";
  EXPECT_EQ(shell("\"$0\"" + quick(out) + "--min-sqnr 500 2>/dev/full").exit_code, 8);
  EXPECT_TRUE(fs::exists(out));
}

TEST(Channels, WithoutStdoutThereIsOneMessageAndCode4) {
  SKIP_WITHOUT_DEV_FULL;
  const std::string model = " '" + data("demo.onnx") + "' ";
  for (const std::string& command :
       {"inspect" + model, "inspect --json" + model, "inspect --ops" + model,
        std::string("--version "), std::string("quantize --help "), "check --print-config" + model})
    for (const std::string channel : {">/dev/full", ">&-"}) {
      const Ran ran = shell("\"$0\" " + command + channel);
      EXPECT_EQ(ran.exit_code, 4) << command << channel << ran.err;
      EXPECT_EQ(ran.err.find("intaglio: standard output: cannot write: "), 0u)
          << command << channel << ran.err;
      EXPECT_EQ(count_of(ran.err, "intaglio: "), 1u) << command << channel << ran.err;
    }
}

TEST(Channels, NothingIsPrintedIntoFilesThatTookTheNumberOfAChannel) {
  const fs::path folder = fresh_folder();
  ASSERT_EQ(shell("\"$0\"" + quick(folder / "a.onnx")).exit_code, 0);
  EXPECT_EQ(shell("\"$0\"" + quick(folder / "b.onnx") + "<&- >&- 2>&-").exit_code, 4);
  EXPECT_EQ(read_file(folder / "a.onnx"), read_file(folder / "b.onnx"));
}

TEST(Channels, AReaderThatLeavesIsAnErrorNotASignal) {
  const Ran ran = shell("trap '' PIPE; { \"$0\" inspect --json --nodes '" + data("demo.onnx") +
                        "'; echo $? >&2; } | head -c 1 >/dev/null; exit 0");
  EXPECT_EQ(ran.err.find("intaglio: "), ran.err.find("intaglio: standard output")) << ran.err;
}

}  // namespace
}  // namespace intaglio
