// Limits of the system: files that may not grow, a disk that fills, no memory, no threads.
#include <gtest/gtest.h>

#include "tests/faults/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::count_of;
using testing::data;
using testing::fresh_folder;
using testing::names_in;
using testing::quick;
using testing::Ran;
using testing::sanitized;
using testing::shell;
using Names = std::vector<std::string>;

TEST(Limits, AFileThatMayNotGrowLeavesTheOldOne) {
  const fs::path folder = fresh_folder();
  write_file(folder / "out.onnx", "old");
  const Ran ran = shell("ulimit -f 16; \"$0\"" + quick(folder / "out.onnx"));
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_NE(ran.err.find("out.onnx: cannot write: File too large"), std::string::npos) << ran.err;
  EXPECT_EQ(read_file(folder / "out.onnx"), "old");
  EXPECT_EQ(names_in(folder), Names{"out.onnx"});
}

// All files of a command appear, or none does.
TEST(Limits, AReportThatCannotBeWrittenLeavesNoModel) {
  const fs::path folder = fresh_folder();
  const Ran ran = shell("\"$0\"" + quick(folder / "out.onnx") + "--report /dev/full");
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_NE(ran.err.find("/dev/full: cannot write: No space left"), std::string::npos) << ran.err;
  EXPECT_EQ(names_in(folder), Names{});
}

// A file system of its own, in a namespace of its own, where that is permitted.
TEST(Limits, ADiskThatFillsLeavesTheOldFiles) {
  const fs::path folder = fresh_folder();
  const std::string script =
      "mount -t tmpfs -o size=48k none \"$1\" || exit 99; echo old > \"$1/out.onnx\"; \"$0\"" +
      quick(folder / "out.onnx") + "; code=$?; head -c 9 \"$1/out.onnx\"; ls \"$1\"; exit $code";
  const Ran ran = testing::run_command(
      {"unshare", "-rm", "bash", "-c", script, INTAGLIO_BINARY, folder.string()});
  if (ran.exit_code == 99 || ran.err.find("unshare") != std::string::npos)
    GTEST_SKIP() << "no file system can be mounted here: " << ran.err;
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_NE(ran.err.find("No space left on device"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.out, "old\nout.onnx\n");
}

// Somewhere the memory ends: in the loader, in a kernel, in the start of a thread.
TEST(Limits, WithoutMemoryTheCodeIs6) {
  if (sanitized) GTEST_SKIP() << "not under sanitizers";
  const fs::path folder = fresh_folder();
  int refused = 0;
  for (const int megabytes : {60, 80, 100, 120, 140, 200, 300}) {
    const Ran ran = shell("ulimit -v " + std::to_string(megabytes * 1024) + "; \"$0\"" +
                          quick(folder / "out.onnx"));
    if (ran.exit_code == 127) continue;  // too little to load the libraries
    EXPECT_TRUE(ran.exit_code == 0 || ran.exit_code == 6)
        << megabytes << ": " << ran.exit_code << ran.err;
    refused += ran.exit_code == 6;
    if (ran.exit_code == 0) {
      fs::remove(folder / "out.onnx");
      continue;
    }
    EXPECT_EQ(count_of(ran.err, "intaglio: "), 1u) << ran.err;
    EXPECT_EQ(names_in(folder), Names{}) << megabytes;
  }
  EXPECT_GT(refused, 0);
}

TEST(Limits, ImagesLargerThanAnyMemoryAreRefused) {
  if (sanitized) GTEST_SKIP() << "not under sanitizers";
  for (const char* crop : {"32768x32768", "2000000000x2000000000"}) {
    const Ran ran = shell("ulimit -v 2000000; \"$0\" run '" + data("demo.onnx") + "' --data '" +
                          data("eval/0000.jpg") + "' --letterbox --crop " + crop);
    EXPECT_TRUE(ran.exit_code == 2 || ran.exit_code == 3 || ran.exit_code == 6) << ran.err;
  }
}

}  // namespace
}  // namespace intaglio
