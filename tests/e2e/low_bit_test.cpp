// Weights in groups through the whole program: forms, files, errors.
#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/language_model.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

using Arguments = std::vector<std::string>;

class LowBit : public ::testing::Test {
 protected:
  void SetUp() override {
    model = save_decoder(folder / "decoder.onnx");
    write_file(folder / "tokenizer.json", small_tokenizer().dump());
    write_file(folder / "text.txt", small_text());
  }

  std::string here(const char* name) const { return (folder / name).string(); }

  Ran quantize(const Arguments& more, const char* output = "q.onnx") const {
    Arguments arguments = {"quantize", model, "-o", here(output)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  Arguments text() const {
    return {"--data", here("text.txt"), "--tokenizer", here("tokenizer.json"), "--sequence-length",
            "32"};
  }

  double kl_of(const Arguments& more) const {
    Arguments arguments = text();
    arguments.insert(arguments.end(), {"--report", here("report.json"), "--accuracy-level", "0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = quantize(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const Json report = read_json_file(here("report.json"));
    expect_valid(report);
    return report["evaluation"]["tokens"]["kl"].get<double>();
  }

  const std::filesystem::path folder = fresh_folder();
  std::string model;
};

TEST_F(LowBit, BothFormsSayTheSame) {
  const double packed = kl_of({"--format", "matmulnbits", "--table", "float"});
  const Json report = read_json_file(here("report.json"));
  EXPECT_EQ(report["groups"]["weights"], 3);
  EXPECT_EQ(report["groups"]["rounding"], "range_search");
  EXPECT_EQ(report["check"]["misfit"], 0) << report["check"].dump();
  EXPECT_GT(packed, 0);
}

// Samples that weights were weighed by do not judge the result without a word.
TEST_F(LowBit, SaysWhichSamplesJudge) {
  const auto source_of = [&](const Arguments& more) {
    kl_of(more);
    const Json report = read_json_file(here("report.json"));
    EXPECT_EQ(report["data"].is_null(), more.back() == "fast");
    return report["evaluation_source"].get<std::string>();
  };
  EXPECT_EQ(source_of({"--format", "matmulnbits", "--effort", "best"}), "seen");
  EXPECT_EQ(source_of({"--max-kl", "100", "--format", "matmulnbits", "--effort", "best"}),
            "held_out");
  EXPECT_EQ(source_of({"--format", "matmulnbits", "--effort", "fast"}), "given");
}

TEST_F(LowBit, DataAndEffortHelp) {
  const double nearest = kl_of({"--format", "matmulnbits", "--effort", "fast"}),
               searched = kl_of({"--format", "matmulnbits"}),
               best = kl_of({"--format", "matmulnbits", "--effort", "best"});
  EXPECT_LT(searched, nearest);
  EXPECT_LT(best, searched);
  EXPECT_LT(best, 0.8 * nearest);
}

TEST_F(LowBit, WiderIsBetter) {
  const double two = kl_of({"--format", "matmulnbits", "--weights", "u2"}),
               four = kl_of({"--format", "matmulnbits"}),
               eight = kl_of({"--format", "matmulnbits", "--weights", "u8"}),
               head = kl_of({"--format", "matmulnbits", "--head", "u8"});
  EXPECT_LT(four, two);
  EXPECT_LT(eight, four / 20);
  EXPECT_LT(head, four);
}

TEST_F(LowBit, SameBytesForAnyThreads) {
  std::string first;
  for (const char* threads : {"1", "2", "7"}) {
    Arguments arguments = text();
    arguments.insert(arguments.end(), {"--format", "matmulnbits", "--effort", "best", "--threads",
                                       threads, "--eval-limit", "0"});
    ASSERT_EQ(quantize(arguments).exit_code, 0);
    const std::string bytes = read_file(here("q.onnx"));
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first) << threads;
  }
}

// Weights that lay beside the model lie beside the result, which needs the old file no more.
TEST_F(LowBit, ExternalDataStaysExternal) {
  save_model(load_model(model), here("far.onnx"), {.external_above = 0});
  Arguments arguments = {"quantize", here("far.onnx"), "--format", "matmulnbits",
                         "-o",       here("q.onnx")};
  const Ran ran = run_program(arguments);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(std::filesystem::exists(here("q.onnx.data")));
  std::filesystem::remove(here("far.onnx.data"));
  DataFiles files;
  load_model(here("q.onnx"), &files);
  EXPECT_EQ(files.size(), 1U);
  ASSERT_EQ(quantize({"--format", "matmulnbits"}, "near.onnx").exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(here("near.onnx.data")));
  const Model far = load_model(here("q.onnx")), near = load_model(here("near.onnx"));
  for (const Value* value : near.graph().values()) {
    if (!value->is_constant()) continue;
    const Tensor &a = value->constant(), &b = far.graph().find(value->name())->constant();
    EXPECT_EQ(a.shape(), b.shape()) << value->name();
    EXPECT_TRUE(std::equal(a.raw(), a.raw() + a.bytes(), b.raw())) << value->name();
  }
}

struct Wrong {
  Arguments arguments;
  const char* said;
  int code;
};

TEST_F(LowBit, WhatIsWrongIsSaid) {
  for (const Wrong& wrong : std::vector<Wrong>{
           {{"--weights", "u3"}, "no runtime has a form of 3 bits", 2},
           {{"--format", "matmulnbits", "--group", "24"}, "groups of 16, 32, 64, 128 and 256", 2},
           {{"--format", "qdq", "--weights", "u4"}, "the form 'qdq' has no weights in groups", 2},
           {{"--format", "matmulnbits", "--weights", "fp16"}, "--weights fp16", 2},
           {{"--format", "matmulnbits", "--granularity", "channel"}, "--granularity", 2},
           {{"--format", "weights", "--head", "u8"}, "--weights-of, --head and --table", 2},
           {{"--format", "weights", "--weights", "u2"}, "need opset 25", 3},
           {{"--format", "matmulnbits", "--weights-of", "x"}, "expected REGEX=TYPE", 2},
           {{"--format", "matmulnbits", "--weights-of", "none=u8"}, "matches no node", 2},
           {{"--format", "matmulnbits", "--target", "openvino"}, "target 'openvino'", 3}}) {
    const Ran ran = quantize(wrong.arguments);
    EXPECT_EQ(ran.exit_code, wrong.code) << wrong.said << "\n" << ran.err;
    EXPECT_NE(ran.err.find(wrong.said), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(here("q.onnx")));
  }
}

}  // namespace
}  // namespace intaglio::testing
