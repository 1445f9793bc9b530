#include "apps/commands/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace intaglio {
namespace {

// A terminal of 100 columns that nobody looks at.
class Terminal : public ::testing::Test {
 protected:
  void SetUp() override {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0)
      GTEST_SKIP() << "no pseudo terminals here";
    const int slave = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    struct winsize size {};
    size.ws_col = 100;
    ::ioctl(slave, TIOCSWINSZ, &size);
    channel_ = ::fdopen(slave, "w");
    ASSERT_NE(channel_, nullptr);
    set("TERM", "xterm");
    set("NO_COLOR", nullptr);
    set("COLUMNS", nullptr);
  }

  void TearDown() override {
    for (const auto& [name, value] : before_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    if (channel_ != nullptr) std::fclose(channel_);
    if (master_ >= 0) ::close(master_);
  }

  void set(const char* name, const char* value) {
    const char* const old = std::getenv(name);
    before_.try_emplace(name, old != nullptr ? std::optional<std::string>(old) : std::nullopt);
    value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
  }

  std::FILE* channel_ = nullptr;

 private:
  int master_ = -1;
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(Terminal, TakesColoursUnlessSomebodyMinds) {
  EXPECT_TRUE(takes_colour(channel_));
  EXPECT_EQ(painted(channel_, Colour::red, "x"), "\033[1;31mx\033[0m");
  set("NO_COLOR", "");
  EXPECT_TRUE(takes_colour(channel_)) << "empty counts as not there";
  set("NO_COLOR", "1");
  EXPECT_FALSE(takes_colour(channel_));
  EXPECT_EQ(painted(channel_, Colour::red, "x"), "x");
  set("NO_COLOR", nullptr);
  set("TERM", "dumb");
  EXPECT_FALSE(takes_colour(channel_));
}

TEST_F(Terminal, FilesTakeNone) {
  std::FILE* const file = std::tmpfile();
  EXPECT_FALSE(is_terminal(file));
  EXPECT_FALSE(takes_colour(file));
  EXPECT_EQ(columns_of(file), 80u);
  std::fclose(file);
}

TEST_F(Terminal, HasTheColumnsThatItOrTheUserSays) {
  EXPECT_EQ(columns_of(channel_), 100u);
  set("COLUMNS", "57");
  EXPECT_EQ(columns_of(channel_), 57u);
  set("COLUMNS", "many");
  EXPECT_EQ(columns_of(channel_), 100u);
}

}  // namespace
}  // namespace intaglio
