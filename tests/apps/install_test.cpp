// What an installation holds, and that the program finds its configs there.
#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::run_command;

TEST(Install, HasConfigsManualPageAndCompletions) {
  if (run_command({"sh", "-c", "command -v cmake"}).exit_code != 0)
    GTEST_SKIP() << "there is no cmake";
  const fs::path build = fs::path(INTAGLIO_BINARY).parent_path();
  const fs::path prefix = testing::fresh_folder() / "any where";
  const testing::Ran ran = run_command(
      {"env", "-u", "DESTDIR", "cmake", "--install", build.string(), "--prefix", prefix.string()});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const std::string program = (prefix / "bin/intaglio").string();
  for (const char* file :
       {"share/intaglio/configs/onnxruntime.json", "share/intaglio/configs/preprocess/tf.json",
        "share/man/man1/intaglio.1.gz", "share/bash-completion/completions/intaglio",
        "share/fish/vendor_completions.d/intaglio.fish", "share/doc/intaglio/copyright"})
    EXPECT_TRUE(fs::exists(prefix / file)) << file;
  const testing::Ran version =
      run_command({"env", "-u", "INTAGLIO_CONFIGS", program, "--version", "--verbose"});
  EXPECT_TRUE(contains(version.out, "configs: " + (prefix / "share/intaglio/configs").string()))
      << version.out;
  // What was made when the program was linked is what it prints.
  EXPECT_EQ(read_file(prefix / "share/bash-completion/completions/intaglio"),
            run_command({program, "completion", "bash"}).out);
}

}  // namespace
}  // namespace intaglio
