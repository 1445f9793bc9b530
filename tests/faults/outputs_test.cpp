// Outputs that are inputs or each other, that are links, or that others write at the same time.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/faults/support.h"

namespace intaglio {
namespace {

namespace fs = std::filesystem;
using testing::data;
using testing::fresh_folder;
using testing::names_in;
using testing::quick;
using testing::Ran;
using testing::shell;
using Names = std::vector<std::string>;

std::string quoted(const fs::path& path) { return " '" + path.string() + "' "; }

// Code 2, the words, and nothing new in the folder.
void expect_refused(const fs::path& folder, const std::string& command,
                    const std::vector<std::string>& words) {
  const Names before = names_in(folder);
  const Ran ran = shell("cd " + quoted(folder) + "; \"$0\"" + command);
  EXPECT_EQ(ran.exit_code, 2) << command << "\n" << ran.err;
  for (const std::string& word : words)
    EXPECT_NE(ran.err.find(word), std::string::npos) << "no '" << word << "' in: " << ran.err;
  EXPECT_EQ(names_in(folder), before) << command;
}

TEST(Outputs, NoneIsAnotherOne) {
  const fs::path folder = fresh_folder();
  write_file(folder / "there", "old");
  fs::create_symlink("there", folder / "link");
  fs::create_hard_link(folder / "there", folder / "twin");
  const auto refused = [&](const std::string& options, const std::string& words) {
    expect_refused(folder, quick(folder / "out.onnx") + options,
                   {"two outputs are the same file", words});
  };
  refused("--report x --html x", "x: two outputs are the same file: --report and --html");
  refused("--report ./out.onnx", "--output and --report");
  refused("--save-plan new --html ./sub/../new", "--html and --save-plan");
  refused("--report there --html link", "--report and --html");
  refused("--report there --html twin", "--report and --html");
  EXPECT_EQ(shell("\"$0\"" + quick(folder / "out.onnx") + "--report /dev/null --html /dev/null")
                .exit_code,
            0);
}

TEST(Outputs, NoneIsAnInput) {
  const fs::path folder = fresh_folder();
  for (const char* name : {"demo.onnx", "preprocess.json", "classes.tsv"})
    fs::copy_file(data(name), folder / name);
  fs::create_directory(folder / "images");
  fs::copy_file(data("calib/0001.jpg"), folder / "images" / "a.jpg");
  write_file(folder / "list.txt", "images/a.jpg\n");
  const std::string model = " --quiet quantize demo.onnx --preprocess preprocess.json ";
  const auto refused = [&](const std::string& command, const std::string& words) {
    expect_refused(folder, command, {"output and input are the same file", words});
  };
  refused(model + "--data images -o images/a.jpg", "--output and --data");
  refused(model + "--data list.txt -o out.onnx --report images/a.jpg", "--report and --data");
  refused(model + "--data list.txt -o out.onnx --report list.txt", "--report and --data");
  refused(model + "--data images -o out.onnx --html preprocess.json", "--html and --preprocess");
  refused(model + "--data images -o out.onnx --save-plan ./demo.onnx", "--save-plan and MODEL");
  write_file(folder / "c.json", R"({"limit": 1})");
  refused(model + "--config c.json --data images -o out.onnx --report c.json",
          "--report and --config");
  EXPECT_EQ(read_file(folder / "images" / "a.jpg"), read_file(data("calib/0001.jpg")));
}

TEST(Outputs, ThoseThatCannotBeAreToldBeforeTheRun) {
  const fs::path folder = fresh_folder();
  for (const char* options : {"--report .", "--report no/such", "-o .", "--html /proc/nothing"}) {
    const Ran ran = shell("cd " + quoted(folder) + "; \"$0\" quantize no/such.onnx " + options);
    EXPECT_EQ(ran.exit_code, 4) << options;
    EXPECT_NE(ran.err.find("cannot write"), std::string::npos) << options << ran.err;
  }
}

TEST(Outputs, ALinkStaysOneAndOneToItselfIsAnError) {
  const fs::path folder = fresh_folder();
  fs::create_directory(folder / "there");
  write_file(folder / "there" / "f", "old");
  fs::create_symlink("there/f", folder / "link");
  EXPECT_EQ(shell("\"$0\"" + quick(folder / "link")).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_GT(fs::file_size(folder / "there" / "f"), 1000u);
  fs::create_symlink("self", folder / "self");
  const Ran ran = shell("\"$0\"" + quick(folder / "self"));
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_NE(ran.err.find("self: cannot write: Too many levels of symbolic links"),
            std::string::npos)
      << ran.err;
  EXPECT_TRUE(fs::is_symlink(folder / "self"));
  EXPECT_EQ(names_in(folder), (Names{"link", "self", "there"}));
  EXPECT_EQ(names_in(folder / "there"), Names{"f"});
}

TEST(Outputs, TheModeOfAReplacedFileIsKept) {
  const fs::path out = fresh_folder() / "out.onnx";
  write_file(out, "old");
  fs::permissions(out, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  ASSERT_EQ(shell("umask 0; \"$0\"" + quick(out)).exit_code, 0);
  EXPECT_EQ(fs::status(out).permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  fs::remove(out);
  ASSERT_EQ(shell("umask 027; \"$0\"" + quick(out)).exit_code, 0);
  EXPECT_EQ(fs::status(out).permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
}

TEST(Outputs, OfTwoWritersOneWinsWhole) {
  const fs::path folder = fresh_folder(), out = folder / "out.onnx";
  ASSERT_EQ(shell("\"$0\"" + quick(folder / "a") + "--weights u8").exit_code, 0);
  ASSERT_EQ(shell("\"$0\"" + quick(folder / "b") + "--weights s8").exit_code, 0);
  const std::string a = read_file(folder / "a"), b = read_file(folder / "b");
  ASSERT_NE(a, b);
  for (int i = 0; i < 3; ++i) {
    const Ran ran = shell("\"$0\"" + quick(out) + "--weights u8 & first=$!; \"$0\"" + quick(out) +
                          "--weights s8; code=$?; wait $first && exit $code");
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const std::string made = read_file(out);
    EXPECT_TRUE(made == a || made == b);
    EXPECT_EQ(names_in(folder), (Names{"a", "b", "out.onnx"}));
  }
}

TEST(Outputs, ABadLinkAmongImagesCostsThatSampleAlone) {
  const fs::path folder = fresh_folder();
  fs::create_directory(folder / "images");
  for (int i = 0; i < 20; ++i)
    fs::copy_file(data("calib/000" + std::to_string(i % 10) + ".jpg"),
                  folder / "images" / (std::to_string(i) + ".jpg"));
  fs::create_symlink("loop.jpg", folder / "images" / "loop.jpg");
  fs::create_symlink("loop", folder / "images" / "loop");
  const Ran ran = shell("\"$0\" quantize '" + data("demo.onnx") + "' --effort fast --data " +
                        quoted(folder / "images") + "--preprocess '" + data("preprocess.json") +
                        "' -o" + quoted(folder / "out.onnx"));
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.err.find("loop.jpg"), std::string::npos) << ran.err;
  const Ran alone =
      shell("\"$0\" run '" + data("demo.onnx") + "' --data" + quoted(folder / "images" / "loop"));
  EXPECT_EQ(alone.exit_code, 4) << alone.err;
}

TEST(Outputs, NamesThatAreTooLongAreErrorsOfFiles) {
  const std::string longest(300, 'x');
  for (const std::string& options :
       {"--report " + longest, "--html ./" + longest, "--target " + longest + ".json",
        "--plan " + longest, "--calibration " + longest, "--data " + longest}) {
    const fs::path folder = fresh_folder();
    const Ran ran = shell("\"$0\"" + quick(folder / "out.onnx") + options);
    EXPECT_EQ(ran.exit_code, 4) << options << ran.err;
    EXPECT_EQ(names_in(folder), Names{}) << options;
  }
  const Ran ran = shell("\"$0\" run '" + data("demo.onnx") + "' --expect " + longest);
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
}

}  // namespace
}  // namespace intaglio
