// Help that fits the terminal and hides nothing, and what is said of a mistyped command line.
#include "apps/commands/help.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::contains;
using testing::run_command;
using testing::run_program;

const std::vector<std::string> commands = {"quantize", "calibrate", "merge", "compare",
                                           "evaluate", "run",       "check", "analyze",
                                           "inspect",  "preview",   "diff",  "completion"};

std::string help_of(const std::string& command, const std::string& columns,
                    const std::vector<std::string>& more = {}) {
  std::vector<std::string> line = {"env", "COLUMNS=" + columns, INTAGLIO_BINARY, command, "--help"};
  line.insert(line.end(), more.begin(), more.end());
  return run_command(line).out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string said(const std::vector<std::string>& arguments) {
  const testing::Ran ran = run_program(arguments);
  EXPECT_EQ(ran.exit_code, 2) << ran.err;
  return ran.err;
}

TEST(Help, IsAsWideAsTheTerminal) {
  for (const std::string& command : commands)
    for (const std::size_t columns : {60, 80, 100})
      for (const std::string& line : lines_of(help_of(command, std::to_string(columns), {"all"})))
        EXPECT_LE(line.size(), columns) << line;
}

TEST(Help, IsShortAndNamesEveryOption) {
  for (const std::string& command : commands) {
    const std::string few = help_of(command, "80"), all = help_of(command, "80", {"all"});
    EXPECT_LT(lines_of(few).size(), 110u) << command;
    for (const std::string& line : lines_of(all))
      if (const std::size_t at = line.find("--"); line.starts_with("  -") && at != line.npos) {
        const std::string option = line.substr(at, line.find(' ', at) - at);
        EXPECT_TRUE(contains(few, option)) << command << " " << option;
      }
  }
}

TEST(Help, ShowsTheOptionsOfAllCommandsInEach) {
  for (const std::string& command : commands)
    for (const char* option : {"--threads", "--quiet", "--verbose", "--max-memory"})
      EXPECT_TRUE(contains(help_of(command, "80"), option)) << command << " " << option;
}

TEST(Help, SaysTypesAsPeopleDo) {
  for (const std::string& command : commands) {
    const std::string all = help_of(command, "100", {"all"});
    for (const char* noise : {"TEXT", "FLOAT", "UINT", " INT", "{", " in ["})
      EXPECT_FALSE(contains(all, noise)) << command << " " << noise << "\n" << all;
  }
  const std::string all = help_of("quantize", "100", {"all"});
  for (const char* type :
       {"--format qdq|qoperator|dynamic|weights|matmulnbits|tflite", "--score-threshold 0..1",
        "--method NAME[:KEY=VALUE,...]", "--threads N"})
    EXPECT_TRUE(contains(all, type)) << type;
}

TEST(Help, OfTheProgramWithAllHasEveryCommand) {
  const std::string all = run_program({"--help", "all"}).out;
  for (const std::string& command : commands)
    EXPECT_TRUE(contains(all, "intaglio " + command + ":"));
  EXPECT_TRUE(contains(all, "--nms-iou"));
}

TEST(Help, RareOptionsAreOptions) {
  const std::string all = run_program({"--help", "all"}).out + help_of("check", "80", {"all"});
  for (const std::string_view name : rare_options())
    EXPECT_TRUE(contains(all, "  --" + std::string(name) + "\n") ||
                contains(all, "  --" + std::string(name) + " "))
        << name;
}

TEST(Usage, ACommandThatIsNotThereIsToldTheNearest) {
  EXPECT_TRUE(contains(said({"quantise", "x.onnx"}), "Did you mean 'intaglio quantize'?"));
  EXPECT_TRUE(contains(said({"help"}), "Did you mean 'intaglio --help'?"));
  EXPECT_TRUE(contains(said({"help", "quantize"}), "Did you mean 'intaglio quantize --help'?"));
  EXPECT_TRUE(contains(said({"version"}), "Did you mean 'intaglio --version'?"));
  EXPECT_TRUE(contains(said({"completions", "bash"}), "Did you mean 'intaglio completion'?"));
  EXPECT_TRUE(contains(said({"deploy"}), "Commands: quantize, "));
  EXPECT_TRUE(contains(said({}), "no command given"));
}

TEST(Usage, AnOptionThatIsNotThereIsToldTheNearest) {
  EXPECT_TRUE(
      contains(said({"quantize", "x.onnx", "--min-agreemnt", "9"}), "mean --min-agreement?"));
  EXPECT_TRUE(contains(said({"--json", "quantize", "x.onnx"}), "--json stands before the command"));
  EXPECT_TRUE(contains(said({"-V"}), "Did you mean --version or --verbose?"));
  EXPECT_TRUE(contains(said({"quantize", "x.onnx", "-v"}), "--verbose?"));
  EXPECT_TRUE(
      contains(said({"run", "x.onnx", "--min-sqnr", "3"}), "It belongs to quantize, evaluate"));
}

TEST(Usage, OneModelIsEnough) {
  const std::string err = said({"compare", "a.json", "b.json"});
  EXPECT_TRUE(contains(err, "'intaglio compare' takes one MODEL, 'b.json' is one too many")) << err;
}

}  // namespace
}  // namespace intaglio
