#include "lib/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "lib/base/error.h"
#include "lib/base/mapped_files.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

// The message of the Code::io error that f throws; it must begin with the path.
template <typename F>
std::string io_message(const fs::path& path, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::io);
    EXPECT_FALSE(e.remedy().empty());
    const std::string message = e.what();
    EXPECT_EQ(message.rfind(path.string() + ": ", 0), 0u) << message;
    return message.substr(std::min(message.size(), path.string().size() + 2));
  }
  ADD_FAILURE() << "no error for " << path;
  return {};
}

TEST(ReadFile, GivesTheBytes) {
  const fs::path path = testing::fresh_folder() / "f";
  const std::string text("a\0b\n", 4);
  write_file(path, text);
  EXPECT_EQ(read_file(path), text);
  write_file(path, "");
  EXPECT_EQ(read_file(path), "");
}

TEST(ReadFile, SaysWhyItCannot) {
  const fs::path folder = testing::fresh_folder();
  write_file(folder / "f", "x");
  const auto read = [](const fs::path& p) { return io_message(p, [&] { read_file(p); }); };
  EXPECT_EQ(read(folder / "none"), "cannot open: No such file or directory");
  EXPECT_EQ(read(folder / "f" / "x"), "cannot open: Not a directory");
  EXPECT_EQ(read(folder), "cannot read: Is a directory");
  EXPECT_EQ(read("/dev/null"), "not a regular file");
}

TEST(ReadFile, APipeIsRefusedInsteadOfWaitedFor) {
  const fs::path path = testing::fresh_folder() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(io_message(path, [&] { read_file(path); }), "not a regular file");
}

TEST(MapFile, GivesAnyWindow) {
  const fs::path path = testing::fresh_folder() / "f";
  std::string text(20'000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i % 251);
  write_file(path, text);
  for (const std::size_t offset : {0, 1, 4095, 4096, 4097, 19'999, 20'000}) {
    const std::size_t length = std::min<std::size_t>(5000, text.size() - offset);
    const MappedBytes bytes = map_file(path, offset, static_cast<std::int64_t>(length));
    ASSERT_EQ(bytes.size, length);
    EXPECT_TRUE(std::equal(text.begin() + static_cast<std::ptrdiff_t>(offset),
                           text.begin() + static_cast<std::ptrdiff_t>(offset + length),
                           reinterpret_cast<const char*>(bytes.data.get())));
    EXPECT_EQ(map_file(path, offset).size, text.size() - offset);
  }
}

TEST(MapFile, RefusesToLookBehindTheEnd) {
  const fs::path path = testing::fresh_folder() / "f";
  write_file(path, "0123456789");
  const auto map = [&](std::uint64_t offset, std::int64_t length) {
    return io_message(path, [&] { map_file(path, offset, length); });
  };
  EXPECT_EQ(map(5, 6), "too short: 6 bytes wanted at offset 5, the file has 10");
  EXPECT_EQ(map(11, 0), "too short: 0 bytes wanted at offset 11, the file has 10");
  EXPECT_EQ(map(11, -1), "too short: 0 bytes wanted at offset 11, the file has 10");
  EXPECT_NE(map(~std::uint64_t{0}, std::numeric_limits<std::int64_t>::max()), "");
}

TEST(MapFile, KnowsWhichFileIsMappedWhere) {
  const fs::path folder = testing::fresh_folder();
  write_file(folder / "a", std::string(200'000, 'a'));
  write_file(folder / "b", std::string(200'000, 'b'));
  const auto name_at = [](const void* address) {
    const char* path = mapped_file_at(address);
    return path == nullptr ? std::string() : std::string(path);
  };
  const MappedBytes a = map_file(folder / "a"), part = map_file(folder / "a", 70'000, 80'000);
  MappedBytes b = map_file(folder / "b");
  EXPECT_EQ(name_at(a.data.get()), (folder / "a").string());
  EXPECT_EQ(name_at(part.data.get() + part.size - 1), (folder / "a").string());
  EXPECT_EQ(name_at(b.data.get() + b.size - 1), (folder / "b").string());
  EXPECT_EQ(name_at(&b), "");
  const std::byte* gone = b.data.get();
  b = {};
  EXPECT_EQ(name_at(gone), "");
}

TEST(MapFile, OutlivesTheFile) {
  const fs::path path = testing::fresh_folder() / "f";
  write_file(path, "abc");
  const MappedBytes bytes = map_file(path);
  write_file(path, "xyz");
  fs::remove(path);
  EXPECT_EQ(std::to_integer<char>(bytes.data.get()[1]), 'b');
}

TEST(AtomicFile, AppearsWithCommitOnly) {
  const fs::path folder = testing::fresh_folder(), path = folder / "f";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
    EXPECT_EQ(file.size(), 3u);
    EXPECT_EQ(files_in(folder), 2u);
    EXPECT_EQ(read_file(path), "old");
    file.finish();
    EXPECT_EQ(read_file(path), "old");
    file.commit();
    EXPECT_EQ(read_file(path), "new");
  }
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, WithoutCommitLeavesNothingBehind) {
  const fs::path folder = testing::fresh_folder(), path = folder / "f";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, AnInterruptRemovesWhatIsUnfinished) {
  const fs::path folder = testing::fresh_folder();
  AtomicFile a(folder / "a"), b(folder / "b");
  a.commit();
  EXPECT_EQ(files_in(folder), 2u);
  remove_temporary_files();
  EXPECT_EQ(files_in(folder), 1u);
  EXPECT_TRUE(fs::exists(folder / "a"));
}

TEST(AtomicFile, NamesOfTemporaryFilesCannotBeGuessed) {
  const fs::path folder = testing::fresh_folder();
  std::set<fs::path> names;
  for (int i = 0; i < 20; ++i) names.insert(AtomicFile(folder / "f").written_at());
  EXPECT_EQ(names.size(), 20u);
  for (const fs::path& name : names) EXPECT_EQ(name.filename().string().rfind("f.tmp-", 0), 0u);
  write_file(folder / std::string(255, 'n'), "as long as a name may be");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, IsOpenedByNobodyElse) {
  const fs::path folder = testing::fresh_folder();
  AtomicFile file(folder / "f");
  const int fd = ::open(file.written_at().c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  EXPECT_EQ(fd, -1);
}

TEST(AtomicFile, AReplacedFilePassesOnItsModeAndOwner) {
  const fs::path folder = testing::fresh_folder(), path = folder / "f";
  write_file(path, "old");
  const auto mode = [&] { return fs::status(path).permissions(); };
  const mode_t before = ::umask(0027);
  fs::permissions(path, fs::perms(0604));
  const bool root = ::geteuid() == 0;  // others cannot give files away
  const uid_t owner = root ? 12 : ::geteuid();
  const gid_t group = root ? 34 : ::getegid();
  ASSERT_EQ(::chown(path.c_str(), owner, group), 0);
  write_file(path, "new");
  EXPECT_EQ(mode(), fs::perms(0604));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, owner);
  EXPECT_EQ(info.st_gid, group);
  fs::remove(path);
  write_file(path, "first");
  EXPECT_EQ(mode(), fs::perms(0640));
  ::umask(before);
}

TEST(AtomicFile, AFileThatMayNotBeWrittenIsNotReplaced) {
  if (::geteuid() == 0) GTEST_SKIP() << "permissions do not bind root";
  const fs::path path = testing::fresh_folder() / "f";
  write_file(path, "old");
  fs::permissions(path, fs::perms::owner_read);
  EXPECT_EQ(io_message(path, [&] { write_file(path, "x"); }), "cannot write: Permission denied");
  EXPECT_EQ(read_file(path), "old");
}

TEST(AtomicFile, ALinkToItselfIsAnError) {
  const fs::path folder = testing::fresh_folder();
  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  EXPECT_EQ(io_message(folder / "a", [&] { write_file(folder / "a", "x"); }),
            "cannot write: Too many levels of symbolic links");
  EXPECT_TRUE(fs::is_symlink(folder / "a"));
  EXPECT_EQ(files_in(folder), 2u);
}

TEST(AtomicFile, SaysWhyItCannot) {
  const fs::path folder = testing::fresh_folder();
  write_file(folder / "f", "x");
  const auto write = [](const fs::path& p) { return io_message(p, [&] { write_file(p, "x"); }); };
  EXPECT_EQ(write(folder), "cannot write: Is a directory");
  EXPECT_EQ(write(folder / "none" / "f"), "cannot write: No such file or directory");
  EXPECT_EQ(write(folder / "f" / "g"), "cannot write: Not a directory");
  EXPECT_EQ(write("/proc/intaglio"),
            "cannot write: No such file or directory");  // root cannot either
}

TEST(AtomicFile, AReadOnlyFolderIsAnError) {
  if (::geteuid() == 0) GTEST_SKIP() << "permissions do not bind root";
  const fs::path folder = testing::fresh_folder();
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(io_message(folder / "f", [&] { write_file(folder / "f", "x"); }),
            "cannot write: Permission denied");
  fs::permissions(folder, fs::perms::owner_all);
}

TEST(AtomicFile, AFileThatMayNotGrowIsAnErrorAndTheOldOneStays) {
  const fs::path folder = testing::fresh_folder(), path = folder / "f";
  write_file(path, "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      io_message(path, [&] { write_file(path, std::string(1'000'000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(message, "cannot write: File too large");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, AFullDiskIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  EXPECT_EQ(io_message("/dev/full", [] { write_file("/dev/full", "x"); }),
            "cannot write: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(AtomicFile, DevicesAndPipesAreWrittenInPlace) {
  write_file("/dev/null", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));

  const fs::path folder = testing::fresh_folder(), path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { std::getline(std::ifstream(path), read); });
  require_writable(path);  // must not be an end of file to the reader
  write_file(path, "through the pipe\n");
  reader.join();
  EXPECT_EQ(read, "through the pipe");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, ASymbolicLinkStaysOne) {
  const fs::path folder = testing::fresh_folder();
  fs::create_directory(folder / "there");
  fs::create_symlink("there/f", folder / "link");
  for (const std::string_view text : {"first", "second"}) {  // to nothing, then to a file
    write_file(folder / "link", text);
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(read_file(folder / "there" / "f"), text);
  }
  EXPECT_EQ(files_in(folder / "there"), 1u);
}

TEST(RequireWritable, FailsEarlyAndTouchesNothing) {
  const fs::path folder = testing::fresh_folder();
  require_writable(folder / "f");
  EXPECT_EQ(files_in(folder), 0u);
  write_file(folder / "f", "old");
  require_writable(folder / "f");
  EXPECT_EQ(read_file(folder / "f"), "old");
  require_writable("/dev/null");
  EXPECT_NE(io_message(folder / "none" / "f", [&] { require_writable(folder / "none" / "f"); }),
            "");
}

}  // namespace
}  // namespace intaglio
