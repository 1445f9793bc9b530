// Bad input ends in one clear message, the right exit code and no output: never in a crash, a hang
// or half a file.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::data;
using testing::fresh_folder;
using testing::Ran;
using testing::run_program;

// Runs quantize on a model file and expects a code, words in the message, and an empty output
// folder.
void expect_refused(const std::string& model, int code, const std::vector<std::string>& words,
                    const std::vector<std::string>& more = {}, bool with_data = true) {
  const auto folder = std::filesystem::path(fresh_folder()) / "out";
  std::filesystem::create_directories(folder);
  std::vector<std::string> arguments = {"quantize", model, "-o", (folder / "out.onnx").string()};
  if (with_data)
    for (const std::string& a : {std::string("--data"), data("calib"), std::string("--preprocess"),
                                 data("preprocess.json")})
      arguments.push_back(a);
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Ran ran = run_program(arguments);
  EXPECT_EQ(ran.exit_code, code) << ran.err;
  EXPECT_NE(ran.err.find("intaglio: "), std::string::npos) << ran.err;
  for (const std::string& word : words)
    EXPECT_NE(ran.err.find(word), std::string::npos) << "no '" << word << "' in: " << ran.err;
  EXPECT_EQ(ran.err.find("terminate"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "something was left behind";
}

std::string written(const std::string& name, const std::string& bytes) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("intaglio-bad-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto path = folder / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

std::string demo_with(const std::function<void(onnx::ModelProto&)>& edit) {
  onnx::ModelProto model;
  std::ifstream file(data("demo.onnx"), std::ios::binary);
  EXPECT_TRUE(model.ParseFromIstream(&file));
  edit(model);
  return written("edited.onnx", model.SerializeAsString());
}

TEST(BadModel, Missing) { expect_refused("no/such.onnx", 4, {"no/such.onnx", "No such file"}); }
TEST(BadModel, Empty) { expect_refused(written("empty.onnx", ""), 5, {"empty.onnx", "empty"}); }
TEST(BadModel, TextFile) {
  expect_refused(written("text.onnx", "hello, I am text\n"), 5, {"text.onnx"});
}
TEST(BadModel, AFolder) { expect_refused(data("calib"), 4, {"calib"}); }

TEST(BadModel, Truncated) {
  const std::string bytes = read_file(data("demo.onnx"));
  expect_refused(written("short.onnx", bytes.substr(0, bytes.size() * 2 / 3)), 5,
                 {"short.onnx", "truncated"});
}

TEST(BadModel, RandomBytes) {
  std::string bytes(5000, '\0');
  unsigned state = 12345;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  expect_refused(written("random.onnx", bytes), 5, {"random.onnx"});
}

TEST(BadModel, UnknownOperator) {
  expect_refused(
      demo_with([](auto& m) { m.mutable_graph()->mutable_node(3)->set_op_type("Frobnicate"); }), 6,
      {"Frobnicate", "has no kernel"});
}

TEST(BadModel, Cycle) {
  expect_refused(demo_with([](auto& m) {
                   auto& g = *m.mutable_graph();
                   g.mutable_node(0)->set_input(0, g.node(4).output(0));
                 }),
                 5, {"cycle"});
}

// The demo with its result repeated four thousand million times.
std::string demo_that_explodes() {
  return demo_with([](auto& m) {
    auto& g = *m.mutable_graph();
    auto& shape = *g.add_initializer();
    shape.set_name("shape");
    shape.set_data_type(onnx::TensorProto::INT64);
    shape.add_dims(3);
    for (const std::int64_t d : {4000000000ll, 1ll, 1ll}) shape.add_int64_data(d);
    auto& node = *g.add_node();
    node.set_name("blow");
    node.set_op_type("Expand");
    node.add_input(g.output(0).name());
    node.add_input("shape");
    node.add_output("far");
    g.mutable_output(0)->set_name("far");
    g.mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  });
}

TEST(BadModel, AResultLargerThanTheMemory) {
  const std::string model = demo_that_explodes();
  for (const char* limit : {"80%", "3GB"}) {
    const auto ran = run_program({"--max-memory", limit, "run", model, "--data",
                                  data("eval/0000.jpg"), "--preprocess", data("preprocess.json")});
    EXPECT_EQ(ran.exit_code, 6) << ran.err;
    for (const char* word : {"Expand node 'blow'", "'far'", "GB", "--max-memory"})
      EXPECT_NE(ran.err.find(word), std::string::npos) << "no '" << word << "' in: " << ran.err;
  }
}

TEST(BadOption, MaxMemory) {
  for (const char* size : {"much", "-1GB", "0", "12 parsecs", "10TB!"}) {
    const auto ran = run_program({"--max-memory", size, "run", data("demo.onnx")});
    EXPECT_EQ(ran.exit_code, 2) << size << ": " << ran.err;
    EXPECT_NE(ran.err.find("800MB, 4GB or 50%"), std::string::npos) << ran.err;
  }
}

TEST(BadModel, DanglingInput) {
  expect_refused(
      demo_with([](auto& m) { m.mutable_graph()->mutable_node(2)->set_input(0, "nowhere"); }), 5,
      {"nowhere", "no node"});
}

TEST(BadModel, InitializerWhoseBytesDoNotFit) {
  expect_refused(demo_with([](auto& m) {
                   m.mutable_graph()->mutable_initializer(0)->mutable_raw_data()->pop_back();
                 }),
                 5, {"initializer", "bytes"});
}

TEST(BadModel, AbsurdDimensions) {
  expect_refused(demo_with([](auto& m) {
                   auto& dims = *m.mutable_graph()->mutable_initializer(0)->mutable_dims();
                   dims.Clear();
                   for (int i = 0; i < 4; ++i) dims.Add(1 << 30);
                 }),
                 5, {"initializer"});
  expect_refused(demo_with([](auto& m) {
                   auto& dims = *m.mutable_graph()->mutable_initializer(0)->mutable_dims();
                   dims.Clear();
                   dims.Add(-5);
                 }),
                 5, {"negative"});
}

TEST(BadModel, ANaNInAWeightNamesIt) {
  expect_refused(demo_with([](auto& m) {
                   const float nan = std::nanf("");
                   auto& raw = *m.mutable_graph()->mutable_initializer(2)->mutable_raw_data();
                   raw.replace(0, 4, reinterpret_cast<const char*>(&nan), 4);
                 }),
                 5, {"stem.conv.weight", "nan"});
}

TEST(BadModel, AnAttributeThatTheOperatorLacks) {
  expect_refused(demo_with([](auto& m) {
                   m.mutable_graph()->mutable_node(0)->mutable_attribute(0)->set_name("kernex");
                 }),
                 5, {"Conv node", "attribute 'kernex'", "none of this name"});
}

TEST(BadModel, AlreadyQuantized) {
  // expect_refused() empties the test's own folder.
  const std::string once = written("once.onnx", "");
  ASSERT_EQ(run_program({"--quiet", "quantize", data("demo.onnx"), "--data", data("calib"),
                         "--preprocess", data("preprocess.json"), "-o", once})
                .exit_code,
            0);
  expect_refused(once, 6, {"quantized already"});
}

TEST(BadData, MissingFolder) {
  expect_refused(data("demo.onnx"), 4, {"no/such/folder"}, {"--data", "no/such/folder"}, false);
}
TEST(BadData, FolderWithoutImages) {
  expect_refused(data("demo.onnx"), 7, {"configs"},
                 {"--data", (testing::source_dir() / "configs").string()}, false);
}
TEST(BadData, None) { expect_refused(data("demo.onnx"), 2, {"--data"}, {}, false); }

TEST(BadData, MoreThanATenthBroken) {
  const auto folder = fresh_folder() / "images";
  std::filesystem::create_directories(folder);
  for (int i = 0; i < 4; ++i)
    std::filesystem::copy(data("calib/000" + std::to_string(i) + ".jpg"),
                          folder / ("good" + std::to_string(i) + ".jpg"));
  std::ofstream(folder / "broken.jpg") << "not a picture";
  const auto images =
      std::filesystem::temp_directory_path() / ("intaglio-images-" + std::to_string(::getpid()));
  std::filesystem::remove_all(images);
  std::filesystem::rename(folder, images);
  expect_refused(data("demo.onnx"), 7, {"broken.jpg"},
                 {"--data", images.string(), "--preprocess", data("preprocess.json")}, false);
}

TEST(BadData, ImagesForAModelThatTakesNone) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  auto& opset = *model.add_opset_import();
  opset.set_version(13);
  auto& g = *model.mutable_graph();
  g.set_name("g");
  for (auto* info : {g.add_input(), g.add_output()}) {
    auto& type = *info->mutable_type()->mutable_tensor_type();
    type.set_elem_type(1);
    type.mutable_shape()->add_dim()->set_dim_value(5);
  }
  g.mutable_input(0)->set_name("x");
  g.mutable_output(0)->set_name("y");
  auto& node = *g.add_node();
  node.set_op_type("Add");
  node.add_input("x");
  node.add_input("x");
  node.add_output("y");
  expect_refused(written("vector.onnx", model.SerializeAsString()), 7, {"'x'"});
}

TEST(BadOptions, OutputEqualToInput) {
  const Ran ran = run_program(
      {"quantize", data("demo.onnx"), "--data", data("calib"), "-o", data("demo.onnx")});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("same file"), std::string::npos);
}
TEST(BadOptions, StatisticsNeverOverwriteTheModel) {
  const Ran ran = run_program(
      {"calibrate", data("demo.onnx"), "--data", data("calib"), "-o", data("demo.onnx")});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("same file"), std::string::npos);
}
TEST(BadOptions, ReportsNeverOverwriteTheModelsThatTheyAreOf) {
  const std::string model = written("evaluated.onnx", read_file(data("demo.onnx")));
  const std::string reference = written("reference.onnx", read_file(data("demo.onnx")));
  for (const std::string& report : {model, reference}) {
    const Ran ran = run_program(
        {"evaluate", model, "--reference", reference, "--data", data("eval"), "--report", report});
    EXPECT_EQ(ran.exit_code, 2) << ran.err;
    EXPECT_NE(ran.err.find("output and input are the same file"), std::string::npos) << ran.err;
    EXPECT_EQ(read_file(report), read_file(data("demo.onnx")));
  }
}

TEST(BadOptions, OutputFolderMissing) {
  const Ran ran = run_program(
      {"quantize", data("demo.onnx"), "--data", data("calib"), "-o", "/no/such/folder/x.onnx"});
  EXPECT_EQ(ran.exit_code, 4);
  EXPECT_NE(ran.err.find("/no/such/folder/x.onnx"), std::string::npos);
}
TEST(BadOptions, BadRegex) {
  expect_refused(data("demo.onnx"), 2, {"regular expression"}, {"--exclude", "(("});
}
TEST(BadOptions, PatternThatMatchesNothing) {
  expect_refused(data("demo.onnx"), 2, {"matches no node"}, {"--exclude", "nothing_like_it"});
}
TEST(BadOptions, UnknownMethodTargetPresetAndFlag) {
  expect_refused(data("demo.onnx"), 2, {"maxmin", "minmax"}, {"--method", "maxmin"});
  expect_refused(data("demo.onnx"), 2, {"equalisation", "equalization"},
                 {"--refine", "equalisation"});
  expect_refused(data("demo.onnx"), 2, {"'none' is no step"}, {"--refine", "none,shift"});
  expect_refused(data("demo.onnx"), 3, {"toaster", "onnxruntime"}, {"--target", "toaster"});
  expect_refused(data("demo.onnx"), 3, {"blurry"},
                 {"--data", data("calib"), "--preprocess", "blurry"}, false);
  expect_refused(data("demo.onnx"), 2, {"--frobnicate"}, {"--frobnicate"});
  expect_refused(data("demo.onnx"), 2, {"no option --efort", "Did you mean --effort?"},
                 {"--efort", "fast"});
  expect_refused(data("demo.onnx"), 2, {"no option --thread", "Did you mean --threads?"},
                 {"--thread=2"});
}
TEST(BadOptions, ANameThatIsNearlyOneIsToldTheOther) {
  expect_refused(data("demo.onnx"), 3, {"target 'onnxruntim'", "Did you mean 'onnxruntime'?"},
                 {"--target", "onnxruntim"});
  expect_refused(data("demo.onnx"), 3, {"Did you mean 'imagenet'?"},
                 {"--data", data("calib"), "--preprocess", "imagnet"}, false);
}
TEST(BadOptions, AnOptionIsNoValueOfAnother) {
  expect_refused(data("demo.onnx"), 2,
                 {"--keep-float is followed by the option --threads", "Say --keep-float N|auto"},
                 {"--keep-float", "--threads", "1"});
  expect_refused(data("demo.onnx"), 2, {"--method is followed by the option --effort"},
                 {"--method", "--effort=fast"});
  const Ran ran = run_program({"quantize", data("demo.onnx"), "-o", "--report", "r.json"});
  EXPECT_EQ(ran.exit_code, 2) << ran.err;
  EXPECT_NE(ran.err.find("-o is followed by the option --report"), std::string::npos) << ran.err;
}
TEST(BadOptions, NoSampleAtAll) {
  expect_refused(data("demo.onnx"), 2, {"--limit"}, {"--limit", "0"});
}
TEST(BadOptions, ASearchWithoutAGoalNamesWhatSuitsAModel) {
  expect_refused(data("demo.onnx"), 2, {"--min-sqnr DB", "--min-boxes-f1 0..1 of a detector"},
                 {"--keep-float", "auto"});
}
TEST(BadOptions, ConfigFilesNameWhatDoesNotFit) {
  const auto refuse = [](const char* json, const std::vector<std::string>& words) {
    const std::string file = written("wrong.json", json);
    std::vector<std::string> all = {"wrong.json"};
    all.insert(all.end(), words.begin(), words.end());
    expect_refused(data("demo.onnx"), 3, all, {"--config", file});
  };
  refuse(R"({"limit": "many"})", {"$.limit: not what the option takes", "many"});
  refuse(R"({"limit": 0})", {"$.limit"});
  refuse(R"({"threads": 5000})", {"$.threads", "5000"});
  refuse(R"({"effort": "most"})", {"$.effort", "balanced"});
  refuse(R"({"symmetric": 1})", {"$.symmetric"});
  refuse(R"({"min-agreemnt": 95})", {"$.min-agreemnt", "Did you mean \"min-agreement\"?"});
}
TEST(BadOptions, UnknownKeyInConfigFiles) {
  expect_refused(data("demo.onnx"), 3, {"$.surprise"},
                 {"--config", written("c.json", R"({"surprise": 1})")});
  expect_refused(data("demo.onnx"), 3, {"c2.json:2"},
                 {"--config", written("c2.json", "{\n \"limit\": }")});
  expect_refused(
      data("demo.onnx"), 3, {"$.ops.Conv.rle"},
      {"--target",
       written(
           "t.json",
           R"({"name": "t", "description": "", "activations": {"type": "u8", "symmetric": false},
                   "weights": {"type": "s8", "symmetric": true, "granularity": "channel"}, "ops": {"Conv": {"role": "compute", "rle": 1}}})")});
}

TEST(DiskFull, LeavesNothingBehind) {
  const auto folder = fresh_folder();
  const std::string out = (folder / "out.onnx").string();
  // A file size limit is the portable full disk: writes beyond it fail.
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string script =
        "trap '' XFSZ; ulimit -f 16; exec \"$0\" --quiet quantize \"$1\" --data \"$2\" "
        "--preprocess \"$3\" -o \"$4\" 2>\"$5\"";
    ::execl("/bin/bash", "bash", "-c", script.c_str(), INTAGLIO_BINARY, data("demo.onnx").c_str(),
            data("calib").c_str(), data("preprocess.json").c_str(), out.c_str(),
            (folder / "err").c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 4) << read_file(folder / "err");
  EXPECT_NE(read_file(folder / "err").find("out.onnx"), std::string::npos);
  std::filesystem::remove(folder / "err");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(Interrupt, ExitsWith130AndLeavesNothingBehind) {
  const auto folder = fresh_folder();
  const std::string out = (folder / "out.onnx").string(), progress = (folder / "progress").string();
  std::ofstream(progress).close();
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(progress.c_str(), "w", stderr) == nullptr) ::_exit(127);
    ::execl(INTAGLIO_BINARY, INTAGLIO_BINARY, "--threads", "1", "--verbose", "quantize",
            data("demo.onnx").c_str(), "--data", data("calib").c_str(), "--data",
            data("eval").c_str(), "--preprocess", data("preprocess.json").c_str(), "-o",
            out.c_str(), nullptr);
    ::_exit(127);
  }
  // Calibration follows: it is left to be interrupted.
  for (int i = 0; i < 6000 && read_file(progress).find("rebalance: ") == std::string::npos; ++i)
    ::usleep(10'000);
  ::kill(child, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_NE(read_file(progress).find("intaglio: interrupted"), std::string::npos)
      << read_file(progress);
  std::filesystem::remove(progress);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace intaglio
