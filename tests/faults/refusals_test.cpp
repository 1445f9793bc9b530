// A system that refuses: file systems without maps or without a disk, no threads.
#include <gtest/gtest.h>

#include "tests/faults/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::data;
using testing::fresh_folder;
using testing::names_in;
using testing::quick;
using testing::Ran;
using testing::sanitized;
using testing::shell;
using Names = std::vector<std::string>;

// The program where the call fails.
std::string without(const std::string& call) {
  return "SHIM=" + call + " LD_PRELOAD='" INTAGLIO_SHIM "' \"$0\"";
}

TEST(Refusals, WithoutMapsFilesAreRead) {
  if (sanitized) GTEST_SKIP() << "sanitizers want to be loaded first";
  const fs::path folder = fresh_folder();
  ASSERT_EQ(shell("\"$0\"" + quick(folder / "a.onnx")).exit_code, 0);
  const Ran ran = shell(without("mmap") + quick(folder / "b.onnx"));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(read_file(folder / "a.onnx"), read_file(folder / "b.onnx"));
}

TEST(Refusals, AFileSystemThatCannotSyncIsNoError) {
  if (sanitized) GTEST_SKIP() << "sanitizers want to be loaded first";
  const fs::path folder = fresh_folder();
  const Ran ran = shell(without("fsync") + quick(folder / "a.onnx"));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(names_in(folder), Names{"a.onnx"});
}

TEST(Refusals, ADiskThatFailsIsAnError) {
  if (sanitized) GTEST_SKIP() << "sanitizers want to be loaded first";
  const fs::path folder = fresh_folder();
  write_file(folder / "a.onnx", "old");
  const Ran ran = shell(without("disk") + quick(folder / "a.onnx"));
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_NE(ran.err.find("a.onnx: cannot write: Input/output error"), std::string::npos);
  EXPECT_EQ(read_file(folder / "a.onnx"), "old");
  EXPECT_EQ(names_in(folder), Names{"a.onnx"});
}

TEST(Refusals, AFolderThatNobodyMayReadIsNamed) {
  if (sanitized) GTEST_SKIP() << "sanitizers want to be loaded first";
  const fs::path folder = fresh_folder();
  fs::create_directories(folder / "images" / "closed");
  write_file(folder / "list.txt", "images\n");
  for (const char* given : {"images", "list.txt"}) {
    const Ran ran =
        shell(without("folders") + " quantize '" + data("demo.onnx") + "' --data '" +
              (folder / given).string() + "' -o '" + (folder / "a.onnx").string() + "'");
    EXPECT_EQ(ran.exit_code, 4) << ran.err;
    EXPECT_NE(ran.err.find("images/closed: cannot read the folder: Permission denied"),
              std::string::npos)
        << given << ran.err;
  }
}

TEST(Refusals, WithoutThreadsTheCodeIs6) {
  if (sanitized) GTEST_SKIP() << "sanitizers want to be loaded first";
  const fs::path folder = fresh_folder();
  const std::string threads = " --threads 4";
  for (const std::string& command :
       {threads + quick(folder / "a.onnx").substr(12),
        threads + " run '" + data("demo.onnx") + "' --data '" + data("eval/0000.jpg") + "'"}) {
    const Ran ran = shell(without("threads") + command);
    EXPECT_EQ(ran.exit_code, 6) << command << ran.err;
    EXPECT_NE(ran.err.find("a thread cannot be started"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("Use fewer --threads"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(names_in(folder), Names{});
}

}  // namespace
}  // namespace intaglio
