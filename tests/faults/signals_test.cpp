// Signals: the first one stops at the next step, a second one or ten seconds end the process, and
// none leaves a temporary file.
#include "apps/signals.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "lib/base/progress.h"
#include "lib/io/save.h"
#include "tests/faults/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::data;
using testing::fresh_folder;
using testing::names_in;
using testing::sanitized;
using testing::shell;
using Names = std::vector<std::string>;

// What a child process that runs f ends with, and what it says on stderr.
struct Ended {
  int code;
  std::string err;
};
Ended in_child(const fs::path& folder, const std::function<void()>& f) {
  const fs::path err = folder.string() + ".err";
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(err.c_str(), "w", stderr) == nullptr) ::_exit(99);
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(err)};
}

constexpr const char* long_run =
    " --verbose --threads 1 quantize \"$1\" --data \"$2\" --data \"$3\" --preprocess \"$4\" -o "
    "\"$5\"";

std::string interrupted_script(const std::string& before, const std::string& signals) {
  return before + "\"$0\"" + long_run + " 2>\"$5.err\" & child=$!; " +
         "for i in $(seq 600); do grep -qs rebalance \"$5.err\" && break; sleep 0.02; done; " +
         signals + "; wait $child";
}

testing::Ran interrupted(const fs::path& out, const std::string& before,
                         const std::string& signals) {
  return testing::run_command({"bash", "-c", interrupted_script(before, signals), INTAGLIO_BINARY,
                               data("demo.onnx"), data("calib"), data("eval"),
                               data("preprocess.json"), out.string()});
}

TEST(Signals, HangUpAndTerminateEndLikeAnInterrupt) {
  for (const char* signal : {"HUP", "TERM"}) {
    const fs::path folder = fresh_folder();
    write_file(folder / "out.onnx", "old");
    const auto ran =
        interrupted(folder / "out.onnx", "", std::string("kill -") + signal + " $child");
    EXPECT_EQ(ran.exit_code, 130) << signal;
    EXPECT_NE(read_file(folder / "out.onnx.err").find("intaglio: interrupted"), std::string::npos);
    EXPECT_EQ(read_file(folder / "out.onnx"), "old");
    EXPECT_EQ(names_in(folder), (Names{"out.onnx", "out.onnx.err"}));
  }
}

TEST(Signals, ASecondOneEndsAtOnce) {
  const fs::path folder = fresh_folder();
  const auto ran = interrupted(folder / "out.onnx", "", "kill -TERM $child; kill -INT $child");
  EXPECT_EQ(ran.exit_code, 130);
  EXPECT_EQ(names_in(folder), Names{"out.onnx.err"});
}

// nohup ignores it on behalf of the program.
TEST(Signals, AHangUpThatWasIgnoredOnEntryStaysSo) {
  const fs::path folder = fresh_folder();
  const auto ran = interrupted(folder / "out.onnx", "trap '' HUP; ", "kill -HUP $child");
  EXPECT_EQ(ran.exit_code, 0) << read_file(folder / "out.onnx.err");
  EXPECT_EQ(names_in(folder), (Names{"out.onnx", "out.onnx.err"}));
}

TEST(Signals, TheFirstOneStopsALoopWithoutEnd) {
  const fs::path folder = fresh_folder();
  save_model(
      testing::TextModel("() => (float[1] y) <int64 n = {2000000000}, float[1] x = {1}> "
                         "{ y = Loop<body = b (int64 i, bool c, float[1] a) => "
                         "(bool d, float[1] e) { d = Identity(c) e = Identity(a) }>(n, , x) }")
          .model(),
      folder / "m.onnx");
  const auto ran = shell("timeout -s TERM 4 \"$0\" run '" + (folder / "m.onnx").string() + "'");
  EXPECT_EQ(ran.exit_code, 124) << ran.err;
  EXPECT_NE(ran.err.find("intaglio: interrupted"), std::string::npos) << ran.err;
}

TEST(Signals, OneThatIsNotHonouredInTimeEndsTheProcess) {
  const fs::path folder = fresh_folder();
  const Ended ended = in_child(folder, [&] {
    install_signal_handlers(/*grace=*/1);
    AtomicFile file(folder / "f");
    file.write("half");
    ::raise(SIGTERM);
    for (;;) ::usleep(1000);  // a step that takes for ever
  });
  EXPECT_EQ(ended.code, 130);
  EXPECT_NE(ended.err.find("intaglio: interrupted\n"), std::string::npos) << ended.err;
  EXPECT_EQ(names_in(folder), Names{});
}

TEST(Signals, OneThatWasHonouredHasAllTheTimeItNeeds) {
  const Ended ended = in_child(fresh_folder(), [] {
    install_signal_handlers(/*grace=*/1);
    ::raise(SIGTERM);
    accept_interrupt();
    for (int i = 0; i < 150; ++i) ::usleep(10'000);
  });
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST(Signals, AMappedFileThatIsCutIsNamed) {
  const fs::path folder = fresh_folder();
  write_file(folder / "data", std::string(1 << 20, 'x'));
  const Ended ended = in_child(folder, [&] {
    install_signal_handlers();
    AtomicFile file(folder / "f");
    const MappedBytes bytes = map_file(folder / "data");
    fs::resize_file(folder / "data", 4096);
    ::_exit(std::to_integer<int>(bytes.data.get()[bytes.size - 1]));
  });
  EXPECT_EQ(ended.code, 4);
  EXPECT_EQ(ended.err.find("intaglio: " + (folder / "data").string() +
                           ": the file changed while it was read\n"),
            0u)
      << ended.err;
  EXPECT_EQ(names_in(folder), Names{"data"});
}

TEST(Signals, OthersEndAsEverAndLeaveNothing) {
  for (const int signal : {SIGQUIT, SIGSEGV, SIGABRT, SIGXCPU, SIGUSR1}) {
    if (sanitized && signal == SIGSEGV) continue;
    const fs::path folder = fresh_folder();
    const Ended ended = in_child(folder, [&] {
      const rlimit none{};
      ::setrlimit(RLIMIT_CORE, &none);
      install_signal_handlers();
      AtomicFile file(folder / "f");
      ::raise(signal);
    });
    EXPECT_EQ(ended.code, 128 + signal);
    EXPECT_EQ(names_in(folder), Names{}) << signal;
  }
}

TEST(Signals, ABusErrorOfOurOwnStaysOne) {
  const Ended ended = in_child(fresh_folder(), [] {
    install_signal_handlers();
    ::raise(SIGBUS);
  });
  EXPECT_EQ(ended.code, 128 + SIGBUS);
}

}  // namespace
}  // namespace intaglio
