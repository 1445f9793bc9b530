// What is said of data that do not fit, by cause and with the file's name, and nothing that is not so.
#include <gtest/gtest.h>

#include "calibration/data/npy.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/save.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

// An encoder of tokens with a vocabulary of 30, and arrays of token ids.
class Tokens : public ::testing::Test {
 protected:
  Tokens() {
    save_model(random_model("(int64[N,6] ids, float[30,16] words, float[16,8] w) => "
                            "(float[N,6,8] y) { e = Gather(words, ids) y = MatMul(e, w) }"),
               here("model.onnx"));
    std::filesystem::create_directories(folder_ / "data");
  }

  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  void sample(const std::string& name, std::int64_t largest) const {
    write_file(here("data/" + name + ".npy"),
               to_npy(Tensor::of<std::int64_t>({1, 6}, {0, 5, 7, 11, 3, largest})));
  }

  Ran quantize(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> line = {"quantize", here("model.onnx"), "--data",   here("data"),
                                     "-o",       here("out.onnx"),   "--report", here("r.json")};
    line.insert(line.end(), more.begin(), more.end());
    return run_program(line);
  }

  const std::filesystem::path folder_ = fresh_folder();
};

TEST_F(Tokens, OfAnotherVocabularyAreBadData) {
  for (int i = 0; i < 4; ++i) sample(std::to_string(i), i == 2 ? 40101 : 29);
  for (const char* effort : {"fast", "balanced"}) {
    const Ran ran = quantize({"--effort", effort});
    EXPECT_EQ(ran.exit_code, 7) << ran.err;
    EXPECT_TRUE(contains(ran.err, "2.npy ('ids' holds 40101, but 'words' has 30 rows)")) << ran.err;
  }
  const Ran run = run_program({"run", here("model.onnx"), "--data", here("data/2.npy")});
  EXPECT_EQ(run.exit_code, 7) << run.err;
  EXPECT_TRUE(contains(run.err, "data/2.npy: 'ids' holds 40101")) << run.err;
}

TEST_F(Tokens, OneOfManyIsLeftOutAndNamed) {
  for (int i = 0; i < 12; ++i) sample(std::to_string(10 + i), i == 5 ? -31 : -30);
  const Ran ran = quantize();
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.err, "15.npy was left out: 'ids' holds -31")) << ran.err;
  EXPECT_EQ(count_of(ran.err, "was left out"), 1u) << "once: " << ran.err;
}

// A mask of another length, and more tokens than positions: the inputs take them, the network not.
TEST(Lengths, ThatTheNetworkDoesNotTakeAreBadSamples) {
  const auto folder = fresh_folder();
  const auto here = [&](const std::string& name) { return (folder / name).string(); };
  save_model(
      TextModel()
          .input("int64[1,T] ids, float[1,M] mask")
          .output("float[1,U,2] y")
          .constants("float[9,2] words = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9}")
          .constants("float[1,8,2] places = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}")
          .constants("float[2,2] w = {1, 2, -1, 0.5}, int64[1] zero = {0}, int64[1] one = {1}")
          .constants("int64[1] last = {2}")
          .nodes("seen = Gather(words, ids) shape = Shape(ids) length = Gather(shape, one)")
          .nodes("here = Slice(places, zero, length, one) placed = Add(seen, here)")
          .nodes("wide = Unsqueeze(mask, last) real = Mul(placed, wide) y = MatMul(real, w)")
          .model(),
      here("model.onnx"));
  const auto sample = [&](const std::string& name, std::int64_t tokens, std::int64_t masked) {
    std::filesystem::create_directories(folder / "ids");
    std::filesystem::create_directories(folder / "mask");
    Tensor ids(DType::s64, {1, tokens});
    std::ranges::fill(ids.mutate<std::int64_t>(), tokens % 9);
    Tensor mask(DType::f32, {1, masked});
    std::ranges::fill(mask.mutate<float>(), 1.0F);
    write_file(folder / "ids" / (name + ".npy"), to_npy(ids));
    write_file(folder / "mask" / (name + ".npy"), to_npy(mask));
  };
  const auto run = [&](const char* command) {
    return run_program({command, here("model.onnx"), "--data", "ids=" + here("ids"), "--data",
                        "mask=" + here("mask"), "-o", here("out")});
  };
  for (int i = 0; i < 28; ++i) sample(std::to_string(10 + i), 3 + i % 5, 3 + i % 5);
  sample("short", 6, 5);
  sample("toolong", 9, 9);
  for (const char* command : {"quantize", "calibrate"}) {
    const Ran ran = run(command);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_TRUE(contains(ran.err, "short.npy was left out: Mul node")) << ran.err;
    EXPECT_TRUE(contains(ran.err, "toolong.npy was left out: Add node")) << ran.err;
  }
  for (int i = 0; i < 4; ++i) sample(std::to_string(10 + i), 6, 5);
  const Ran many = run("quantize");
  EXPECT_EQ(many.exit_code, 7) << many.err;
  EXPECT_TRUE(contains(many.err, "samples are bad")) << many.err;
}

TEST_F(Tokens, NobodySpeaksOfImages) {
  for (int i = 0; i < 4; ++i) sample(std::to_string(i), 29);
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--eval-data", here("data")}}) {
    const Ran ran = quantize(more);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_FALSE(contains(ran.err, "image")) << ran.err;
    EXPECT_FALSE(contains(read_file(here("r.json")), "imagenet"));
  }
}

TEST_F(Tokens, WhereNoneFitsTheReasonAndWhatIsWantedAreTold) {
  for (int i = 0; i < 4; ++i)
    write_file(here("data/" + std::to_string(i) + ".npy"),
               to_npy(Tensor::of<std::int64_t>({1, 4}, {1, 2, 3, 4})));
  for (const char* effort : {"fast", "balanced", "best"}) {
    const Ran ran = quantize({"--effort", effort});
    EXPECT_EQ(ran.exit_code, 7) << ran.err;
    EXPECT_TRUE(contains(ran.err, "0.npy")) << ran.err;
    EXPECT_TRUE(contains(ran.err, "The model wants 'ids' int64 [N,6].")) << ran.err;
    EXPECT_FALSE(contains(ran.err, "preprocess")) << ran.err;
  }
}

TEST(Messages, AnOperatorInAnotherCaseIsToldSo) {
  const Ran ran = run_program({"quantize", data("demo.onnx"), "--data", data("calib"), "--dry-run",
                               "--exclude-op", "conv"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(contains(ran.err, "Write --exclude-op 'Conv': case matters.")) << ran.err;
}

TEST(Messages, ShortWorkIsSilentWhereThereIsNoTerminal) {
  const std::string out = (fresh_folder() / "out.onnx").string();
  const Ran ran = run_program({"quantize", data("demo.onnx"), "--data", data("calib"), "--limit",
                               "8", "--preprocess", data("preprocess.json"), "-o", out});
  EXPECT_EQ(ran.exit_code, 0);
  for (const char* phase : {"equalize:", "calibrate:", "refine:", "evaluate:"})
    EXPECT_FALSE(contains(ran.err, phase)) << ran.err;
}

TEST(Messages, WhatAllMethodsWarnOfIsToldOnce) {
  const auto folder = fresh_folder();
  // A bias of 1e9 overflows the int32 of its layer under any method.
  save_model(random_model("(float[1,3,48,48] x, float[4,3,3,3] w) => (float[1,4,46,46] y) "
                          "<float[4] b = {1e9, 1, 1, 1}> { y = Conv(x, w, b) }"),
             folder / "m.onnx");
  const Ran ran = run_program({"compare", (folder / "m.onnx").string(), "--data", data("calib"),
                               "--limit", "6", "--preprocess", "tf", "--json", "--effort", "fast"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json warnings = Json::parse(ran.out)["warnings"];
  std::size_t of_bias = 0;
  for (const Json& warning : warnings) of_bias += contains(warning.get<std::string>(), "bias");
  EXPECT_EQ(of_bias, 1u) << warnings.dump(2);
}

TEST(Messages, TimesOfQuantizedModelsAreSaidToBeOurs) {
  const std::string out = (fresh_folder() / "out.onnx").string(), words = "own integer kernels";
  ASSERT_EQ(run_program({"quantize", data("demo.onnx"), "--data", data("calib"), "--limit", "4",
                         "--effort", "fast", "-o", out})
                .exit_code,
            0);
  for (const auto& [model, ours] : {std::pair{out, true}, {data("demo.onnx"), false}}) {
    const Ran ran = run_program({"run", model, "--data", data("calib/0000.jpg"), "--repeat", "2"});
    EXPECT_EQ(contains(ran.out, words), ours) << ran.out << ran.err;
  }
}

TEST(Messages, EqualWarningsAreToldOnce) {
  const std::string out = (fresh_folder() / "out.onnx").string();
  const Ran ran = run_program({"quantize", data("demo.onnx"), "--data", data("calib"), "--limit",
                               "4", "--eval-data", data("calib"), "-o", out});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(count_of(ran.err, "no --preprocess given"), 1u) << ran.err;
}

TEST(Messages, StatisticsThatEqualizationLeftAloneAreNotToldToLackIt) {
  const auto folder = fresh_folder();
  const std::string model = (folder / "m.onnx").string(), stats = (folder / "s").string();
  save_model(random_model("(float[1,3,8,8] x, float[4,3,3,3] w, float[2,4,1,1] v) => "
                          "(float[1,2,6,6] y) { a = Conv(x, w) b = Relu(a) y = Conv(b, v) }"),
             model);
  std::filesystem::create_directories(folder / "data");
  for (unsigned i = 0; i < 4; ++i)
    write_file(folder / "data" / (std::to_string(i) + ".npy"),
               to_npy(random_tensor({1, 3, 8, 8}, i + 1)));
  const std::string data = (folder / "data").string();
  for (const bool balanced : {true, false}) {
    const Ran made = run_program({"calibrate", model, "--data", data, "-o", stats, "--effort",
                                  balanced ? "balanced" : "fast"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    const Ran ran = run_program({"quantize", model, "--calibration", stats, "--data", data, "-o",
                                 (folder / "out.onnx").string()});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(contains(ran.err, "was measured without equalization"), !balanced) << ran.err;
  }
}

TEST(Messages, ShardsWithAnotherLimitAreToldSo) {
  const auto folder = fresh_folder();
  const auto part = [&](const char* name, const char* shard, const char* limit) {
    const std::string path = (folder / name).string();
    const Ran ran = run_program({"--quiet", "calibrate", data("demo.onnx"), "--data", data("calib"),
                                 "--preprocess", data("preprocess.json"), "--shard", shard,
                                 "--limit", limit, "-o", path});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return path;
  };
  const std::string one = part("one", "1/2", "24"), two = part("two", "2/2", "30");
  const Ran ran = run_program({"merge", one, two, "-o", (folder / "all").string()});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_TRUE(contains(ran.err, "are shards of different data, or of another --limit of it"))
      << ran.err;
}

// What would change nothing is refused, not ignored.
TEST_F(Tokens, OptionsWithoutEffectAreRefused) {
  sample("a", 3);
  const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
    const Ran ran = quantize(more);
    EXPECT_EQ(ran.exit_code, 2) << part << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(here("out.onnx")));
  };
  refused({"--accuracy-level", "0"}, "the form 'qdq' has no MatMulNBits");
  refused({"--format", "matmulnbits", "--refine", "shift"}, "--refine: no step changes anything");
  refused({"--max-kl", "nan"}, "--max-kl nan: is no limit");
  refused({"--format", "weights", "--no-zero-zero-points"}, "no zero point of an activation");
  const Ran text = run_program({"quantize", here("model.onnx"), "-o", here("out.onnx"), "--format",
                                "weights", "--tokenizer", here("tokenizer.json")});
  EXPECT_EQ(text.exit_code, 2) << text.err;
  EXPECT_NE(text.err.find("--tokenizer: there is no text"), std::string::npos) << text.err;
}

TEST_F(Tokens, ATextIsNoListOfFiles) {
  write_file(here("text.txt"), "Once upon a time\nthere was a sentence.\n");
  const Ran ran = run_program(
      {"quantize", here("model.onnx"), "-o", here("out.onnx"), "--data", here("text.txt")});
  EXPECT_EQ(ran.exit_code, 7) << ran.err;
  EXPECT_NE(ran.err.find("--tokenizer FILE"), std::string::npos) << ran.err;
}

TEST_F(Tokens, WeightsInGroupsAreNotQuantizedTwice) {
  save_model(
      random_model("(float[N,64] x, float[64,32] w) => (float[N,32] y) { y = MatMul(x, w) }"),
      here("float.onnx"));
  const auto pack = [&](const std::string& model) {
    return run_program(
        {"quantize", here(model), "--format", "matmulnbits", "-o", here("packed.onnx")});
  };
  ASSERT_EQ(pack("float.onnx").exit_code, 0);
  std::filesystem::rename(here("packed.onnx"), here("again.onnx"));
  const Ran ran = pack("again.onnx");
  EXPECT_EQ(ran.exit_code, 6) << ran.err;
  EXPECT_NE(ran.err.find("is quantized already: it holds the com.microsoft.MatMulNBits"),
            std::string::npos)
      << ran.err;
}

}  // namespace
}  // namespace intaglio::testing
