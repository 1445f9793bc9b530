// --config and --print-config: what a file says, what the command line says, and who wins.
#include "apps/options/config_file.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "lib/base/file.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using Arguments = std::vector<std::string>;

// A program with one command and an option of each kind.
struct Program {
  CLI::App root;
  int threads = 0;
  std::string target = "onnxruntime";
  std::vector<std::string> data;
  bool symmetric = false;
  CLI::App* command;

  Program() {
    root.fallthrough();
    root.add_option("--threads", threads)->capture_default_str();
    command = root.add_subcommand("quantize", "");
    command->add_option("--target,-t", target)->capture_default_str();
    command->add_option("--data", data);
    command->add_flag("--symmetric", symmetric);
    command->add_option("--config")->type_name("FILE");
  }
};

std::string file_with(const std::string& json) {
  const auto path = testing::fresh_folder() / "options.json";
  write_file(path, json);
  return path.string();
}

Arguments expanded(const std::string& json, Arguments given = {"quantize"}) {
  Program program;
  given.insert(given.begin() + 1, {"--config", file_with(json)});
  return expand_config(given, program.root);
}

TEST(ConfigFile, ItsOptionsStandBehindTheCommand) {
  EXPECT_EQ(expanded(R"({"target": "qnn", "threads": 2, "symmetric": true})"),
            (Arguments{"quantize", "--target=qnn", "--threads=2", "--symmetric"}));
  EXPECT_EQ(expanded(R"({"symmetric": false})"), (Arguments{"quantize"}));
  EXPECT_EQ(expanded(R"({"data": ["a", "b"]})"), (Arguments{"quantize", "--data=a", "--data=b"}));
}

TEST(ConfigFile, TheCommandLineWinsByLongAndByShortNames) {
  EXPECT_EQ(expanded(R"({"target": "qnn"})", {"quantize", "--target", "tflite"}),
            (Arguments{"quantize", "--target", "tflite"}));
  EXPECT_EQ(expanded(R"({"target": "qnn"})", {"quantize", "--target=tflite"}),
            (Arguments{"quantize", "--target=tflite"}));
  EXPECT_EQ(expanded(R"({"target": "qnn"})", {"quantize", "-t", "tflite"}),
            (Arguments{"quantize", "-t", "tflite"}));
  EXPECT_EQ(expanded(R"({"data": ["a", "b"]})", {"quantize", "--data", "c"}),
            (Arguments{"quantize", "--data", "c"}));
}

TEST(ConfigFile, WrongKeysAndValuesAreNamed) {
  for (const auto& [json, part] :
       std::map<std::string, std::string>{{R"({"targte": "qnn"})", "$.targte: unknown key"},
                                          {R"({"config": "x"})", "$.config: unknown key"},
                                          {R"({"target": {"name": "qnn"}})", "$.target"},
                                          {R"({"symmetric": "yes"})", "$.symmetric"}}) {
    try {
      expanded(json);
      ADD_FAILURE() << json << " was taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::config) << json;
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
  }
}

TEST(ConfigFile, WithoutOneTheArgumentsStayAsTheyAre) {
  Program program;
  const Arguments given = {"quantize", "--target", "qnn"};
  EXPECT_EQ(expand_config(given, program.root), given);
}

TEST(ConfigFile, WhatIsPrintedCanBeFedBack) {
  Program first;
  first.root.parse("quantize --target qnn --data a --data b --symmetric --threads 3");
  const Json effective = effective_config(*first.command);
  EXPECT_EQ(effective["target"], "qnn");
  EXPECT_EQ(effective["threads"], 3);
  EXPECT_EQ(effective["symmetric"], true);

  Program second;
  Arguments arguments =
      expand_config({"quantize", "--config", file_with(effective.dump())}, second.root);
  std::reverse(arguments.begin(), arguments.end());
  second.root.parse(arguments);
  EXPECT_EQ(second.target, "qnn");
  EXPECT_EQ(second.threads, 3);
  EXPECT_EQ(second.data, (Arguments{"a", "b"}));
  EXPECT_TRUE(second.symmetric);
  EXPECT_EQ(effective_config(*second.command), effective);
}

}  // namespace
}  // namespace intaglio
