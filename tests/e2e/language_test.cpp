// Language models through the whole program: text and ids as data, metrics of tokens, gates, errors.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/exec/infer.h"
#include "lib/graph/model.h"
#include "lib/io/save.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/language_model.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using Arguments = std::vector<std::string>;

class Language : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(folder / "tokenizer.json", small_tokenizer().dump());
    write_file(folder / "text.txt", small_text());
    model = save_decoder(folder / "decoder.onnx");
  }

  std::string here(const char* name) const { return (folder / name).string(); }

  Arguments with_text(Arguments arguments, const Arguments& more = {}) const {
    arguments.insert(arguments.end(), {"--data", here("text.txt"), "--tokenizer",
                                       here("tokenizer.json"), "--sequence-length", "32"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  void quantize() const {
    const Ran ran = run_program(with_text({"quantize", model, "-o", here("q.onnx")}));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }

  const std::filesystem::path folder = fresh_folder();
  std::string model;
};

TEST_F(Language, IsQuantizedAndMeasuredOnText) {
  const Ran ran =
      run_program(with_text({"quantize", model, "-o", here("q.onnx")},
                            {"--report", here("report.json"), "--html", here("page.html"),
                             "--samples", here("samples.csv"), "--max-kl", "1",
                             "--max-perplexity-rise", "50", "--min-same-token", "10"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err << ran.out;
  EXPECT_NE(ran.err.find("(BPE, 100 tokens)"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("sequences of 32 tokens"), std::string::npos);
  EXPECT_NE(
      ran.err.find("made by rule: 'attention_mask' ones, 1 empty past ('past_key' [batch,3,0,4])"),
      std::string::npos);
  for (const char* said :
       {"perplexity ", "KL ", "same most likely token on ", "gate --max-kl 1: holds",
        "gate --min-same-token 10: holds", "scores a vocabulary at every token"})
    EXPECT_NE(ran.out.find(said), std::string::npos) << said << "\n" << ran.out;
  const Json report = read_json_file(here("report.json"));
  expect_valid(report);
  const Json& tokens = report["evaluation"]["tokens"];
  EXPECT_EQ(tokens["output"], "logits");
  EXPECT_GT(tokens["kl"], 0);
  EXPECT_LT(tokens["kl"], 0.2);
  EXPECT_EQ(tokens["positions"].get<int>(), tokens["predicted"].get<int>() / 31 * 32);
  EXPECT_EQ(report["data"]["tokens"]["sequence_length"], 32);
  EXPECT_NE(read_file(here("page.html")).find("Tokens, compared with"), std::string::npos);
  EXPECT_NE(read_file(here("samples.csv")).find("text.txt["), std::string::npos);
}

TEST_F(Language, GatesMiss) {
  const Ran ran = run_program(with_text({"quantize", model, "-o", here("q.onnx")},
                                        {"--max-kl", "0", "--max-perplexity-rise", "-50"}));
  EXPECT_EQ(ran.exit_code, 8);
  EXPECT_NE(ran.err.find("--max-kl allows 0"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("--max-perplexity-rise allows -50"), std::string::npos) << ran.err;
}

TEST_F(Language, EveryCommandTakesText) {
  quantize();
  const std::vector<Arguments> commands = {
      {"evaluate", here("q.onnx"), "--reference", model},
      {"evaluate", model, "--metric", "perplexity"},
      {"compare", model, "--method", "minmax", "--method", "mse"},
      {"compare", model, "--method", "minmax", "--objective", "tokens"},
      {"analyze", model, "--limit", "4"},
      {"calibrate", model, "-o", here("stats.bin")},
      {"run", model, "--limit", "1"},
      {"preview", model, "-o", here("preview.html")},
      {"quantize", model, "-o", here("k.onnx"), "--keep-float", "auto", "--max-kl", "1e-5"}};
  for (const Arguments& command : commands) {
    const Ran ran = run_program(with_text(command));
    EXPECT_TRUE(ran.exit_code == 0 || ran.exit_code == 8)
        << fmt::format("{} {}", command[0], command[2]) << ran.err;
    EXPECT_NE(ran.err.find("made by rule"), std::string::npos) << command[0] << ran.err;
  }
}

TEST_F(Language, ComparesByKl) {
  const Ran ran = run_program(with_text({"compare", model, "--method", "minmax", "--method", "mse"},
                                        {"--report", here("compare.json")}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("KL nats"), std::string::npos) << ran.out;
  const Json report = read_json_file(here("compare.json"));
  expect_valid(report);
  EXPECT_EQ(report["objective"], "kl");
}

// The same of other threads, and of one.
TEST_F(Language, ThreadsDoNotMatter) {
  quantize();
  std::string first;
  for (const char* threads : {"1", "2", "7"}) {
    const Ran ran = run_program(
        with_text({"evaluate", here("q.onnx"), "--reference", model}, {"--threads", threads}));
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    if (first.empty()) first = ran.out;
    EXPECT_EQ(ran.out, first);
  }
}

TEST_F(Language, WhatIsWrongIsSaid) {
  write_file(folder / "empty.txt", "");
  write_file(folder / "short.txt", "the end");
  write_file(folder / "latin1.txt", "caf\xe9 the the the the the the the the the the the the the");
  write_file(folder / "broken.json", "{\"model\": ");
  Json unigram = small_tokenizer();
  unigram["model"]["type"] = "Unigram";
  write_file(folder / "unigram.json", unigram.dump());
  struct Wrong {
    const char *text, *tokenizer, *said;
    int code;
  };
  for (const Wrong& wrong : std::vector<Wrong>{
           {"empty.txt", "tokenizer.json", "empty.txt: the text is empty", 7},
           {"short.txt", "tokenizer.json", "5 tokens are less than one sequence of 256", 7},
           {"latin1.txt", "tokenizer.json", "latin1.txt: no UTF-8 from byte 3 on", 7},
           {"text.txt", "broken.json", "broken.json: no JSON from line 1 on", 3},
           {"text.txt", "unigram.json", "a tokenizer of the kind Unigram is not read", 6},
           {"text.txt", "none.json", "none.json", 4},
           {"none.txt", "tokenizer.json", "none.txt", 4}}) {
    const Ran ran = run_program({"evaluate", model, "--metric", "perplexity", "--data",
                                 here(wrong.text), "--tokenizer", here(wrong.tokenizer)});
    EXPECT_EQ(ran.exit_code, wrong.code) << wrong.said << ran.err;
    EXPECT_NE(ran.err.find(wrong.said), std::string::npos) << ran.err;
  }
  const Ran lengths = run_program({"evaluate", model, "--metric", "perplexity", "--data",
                                   here("text.txt"), "--sequence-length", "8"});
  EXPECT_EQ(lengths.exit_code, 2);
  EXPECT_NE(lengths.err.find("--tokenizer"), std::string::npos) << lengths.err;
  const Ran images =
      run_program({"evaluate", (source_dir() / "data/demo.onnx").string(), "--reference",
                   (source_dir() / "data/demo.onnx").string(), "--data", here("text.txt"),
                   "--tokenizer", here("tokenizer.json")});
  EXPECT_EQ(images.exit_code, 2) << images.err;
  const Ran metric =
      run_program({"evaluate", (source_dir() / "data/demo.onnx").string(), "--reference",
                   (source_dir() / "data/demo.onnx").string(), "--data",
                   (source_dir() / "data/calib").string(), "--metric", "kl"});
  EXPECT_EQ(metric.exit_code, 6) << metric.err;
  EXPECT_NE(metric.err.find("--metric kl reads scores of a vocabulary"), std::string::npos)
      << metric.err;
}

// An output that would take the place of the tokenizer, or of the text.
TEST_F(Language, InputsAreNotOverwritten) {
  for (const char* file : {"tokenizer.json", "text.txt"}) {
    const Ran ran =
        run_program(with_text({"quantize", model, "-o", here("q.onnx")}, {"--report", here(file)}));
    EXPECT_EQ(ran.exit_code, 2) << ran.err;
  }
}

}  // namespace
}  // namespace intaglio::testing
