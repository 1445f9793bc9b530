// What the program says of itself, and that it says it at once.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <regex>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::contains;
using testing::run_program;

TEST(Version, IsOneLine) {
  EXPECT_TRUE(std::regex_match(run_program({"--version"}).out,
                               std::regex("intaglio [0-9]+\\.[0-9]+\\.[0-9]+\n")));
}

TEST(Version, WithVerboseNamesLibrariesAndLimits) {
  const testing::Ran ran = run_program({"--version", "--verbose"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(run_program({"--verbose", "--version"}).out, ran.out);
  for (const char* library : {"onnx", "protobuf", "oneDNN", "ICU", "FlatBuffers", "fmt", "spdlog",
                              "nlohmann_json", "CLI11"})
    EXPECT_TRUE(std::regex_search(ran.out, std::regex(std::string(library) + " [0-9]+\\.[0-9]")))
        << library << "\n"
        << ran.out;
  for (const char* line : {"\ncompiler: ", "\ninstruction sets: ", "\nmodels: ai.onnx up to opset ",
                           "\nthreads: ", "\nmemory: ", "\nconfigs: "})
    EXPECT_TRUE(contains(ran.out, line)) << line << "\n" << ran.out;
}

// Seconds of processor that the children of this process took so far.
double child_seconds() {
  struct rusage usage {};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(Version, TakesNoTime) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers take their time";
#endif
  double least = 1;
  for (int i = 0; i < 5; ++i) {
    const double before = child_seconds();
    run_program({"--version"});
    least = std::min(least, child_seconds() - before);
  }
  EXPECT_LT(least, 0.030);
}

}  // namespace
}  // namespace intaglio
