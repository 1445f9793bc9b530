// The files for CI systems do what they say: the steps of the action run with a stand-in for the
// runner's environment, those of the GitLab job in a shell, and docs/ci.md shows the files as they are.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <sstream>

#include "lib/base/atomic_file.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

namespace fs = std::filesystem;
using Map = std::map<std::string, std::string>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Step {
  std::string id, run;
  Map env;
};

struct Action {
  Map defaults;  // of inputs; those that must be given are not among them
  Map outputs;
  std::vector<Step> steps;
};

// The part of YAML that the action is written in: two spaces a level, values of one line.
Action read_action(const std::string& text) {
  Action action;
  std::string section, name, part;
  std::smatch match;
  for (const std::string& line : lines_of(text)) {
    if (std::regex_match(line, match, std::regex("([a-z]+):.*"))) {
      section = match[1];
    } else if (section != "runs" && std::regex_match(line, match, std::regex("  ([a-z-]+):"))) {
      name = match[1];
    } else if (std::regex_match(line, match, std::regex("    default: (.*)"))) {
      action.defaults[name] = match[1] == "\"\"" ? "" : match[1].str();
    } else if (std::regex_match(line, match, std::regex("    value: (.*)"))) {
      action.outputs[name] = match[1];
    } else if (std::regex_match(line, match, std::regex("    - name: (.*)"))) {
      action.steps.emplace_back();
    } else if (std::regex_match(line, match, std::regex("      (id|run): (.*)"))) {
      (match[1] == "id" ? action.steps.back().id : action.steps.back().run) = match[2];
    } else if (std::regex_match(line, match, std::regex("        ([A-Z_]+): (.*)"))) {
      action.steps.back().env[match[1]] = match[2];
    }
  }
  return action;
}

// The runner: a folder, inputs, and the files that steps append to.
class Runner {
 public:
  explicit Runner(fs::path folder) : folder_(std::move(folder)) {
    action_ = read_action(read_file(source_dir() / "ci/action/action.yml"));
  }

  // Runs the steps until one fails, as the runner does; returns its exit code.
  int run(const Map& inputs) {
    said_.clear();
    for (const char* file : {"summary", "output"}) write_file(folder_ / file, "");
    for (const Step& step : action_.steps) {
      std::vector<std::string> line = {"env",
                                       "-C",
                                       folder_.string(),
                                       "PATH=" + path(),
                                       "GITHUB_STEP_SUMMARY=" + (folder_ / "summary").string(),
                                       "GITHUB_OUTPUT=" + (folder_ / "output").string()};
      for (const auto& [name, value] : step.env) line.push_back(name + "=" + meant(value, inputs));
      line.insert(line.end(), {"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c",
                               meant(step.run, inputs)});
      const Ran ran = run_command(line);
      said_ += ran.out + ran.err;
      if (ran.exit_code != 0) return ran.exit_code;
    }
    return 0;
  }

  Map outputs() const {
    Map found;
    for (const std::string& line : lines_of(read_file(folder_ / "output")))
      found[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    return found;
  }
  std::string summary() const { return read_file(folder_ / "summary"); }
  const std::string& said() const { return said_; }
  const Action& action() const { return action_; }
  fs::path file(const std::string& name) const { return folder_ / name; }

 private:
  static std::string path() {
    return fs::path(INTAGLIO_BINARY).parent_path().string() + ":" + std::getenv("PATH");
  }

  std::string meant(const std::string& text, const Map& inputs) const {
    std::smatch match;
    std::string out = text;
    while (std::regex_search(out, match, std::regex("\\$\\{\\{ ([a-z_.-]+) \\}\\}"))) {
      const std::string name = match[1];
      std::string value = (source_dir() / "ci/action").string();
      if (name.starts_with("inputs.")) {
        const std::string input = name.substr(7);
        EXPECT_TRUE(inputs.contains(input) || action_.defaults.contains(input)) << input;
        value = inputs.contains(input) ? inputs.at(input) : action_.defaults.at(input);
      } else {
        EXPECT_EQ(name, "github.action_path");
      }
      out = match.prefix().str() + value + match.suffix().str();
    }
    return out;
  }

  const fs::path folder_;
  Action action_;
  std::string said_;
};

Map demo_inputs() {
  return {{"model", data("demo.onnx")},
          {"data", data("calib")},
          {"package", ""},  // the program is on the PATH
          {"options", "--preprocess " + data("preprocess.json") + "\n--limit 30\n--effort fast\n"}};
}

TEST(Action, QuantizesAndTellsWhereEverythingIs) {
  Runner runner(fresh_folder());
  Map inputs = demo_inputs();
  inputs["gates"] = "  --min-agreement 80  \n\n--min-sqnr 10";
  ASSERT_EQ(runner.run(inputs), 0) << runner.said();
  const Map outputs = runner.outputs();
  EXPECT_EQ(outputs.at("holds"), "true");
  for (const char* output : {"model", "report", "page", "summary", "junit"})
    EXPECT_TRUE(fs::exists(runner.file(outputs.at(output)))) << output;
  EXPECT_EQ(read_json_file(runner.file(outputs.at("report")))["schema"], "intaglio.report/1");
  EXPECT_TRUE(contains(runner.summary(), "### Quantization of ")) << runner.summary();
  EXPECT_TRUE(contains(runner.summary(), "| --min-agreement | 80 |")) << runner.summary();
  EXPECT_TRUE(contains(read_file(runner.file("intaglio/quantize.junit.xml")), "tests=\"2\""));
  for (const auto& [name, value] : runner.action().outputs)
    EXPECT_TRUE(outputs.contains(name)) << name;
}

TEST(Action, AMissedGateEndsItAfterAllIsWritten) {
  Runner runner(fresh_folder());
  Map inputs = demo_inputs();
  inputs["gates"] = "--min-sqnr 90";
  EXPECT_EQ(runner.run(inputs), 8) << runner.said();
  EXPECT_EQ(runner.outputs().at("holds"), "false");
  EXPECT_TRUE(fs::exists(runner.file(runner.outputs().at("model"))));
  EXPECT_TRUE(contains(runner.summary(), "| missed |")) << runner.summary();
}

TEST(Action, ComparesWithABaselineThatIsThere) {
  Runner runner(fresh_folder());
  Map inputs = demo_inputs();
  inputs["baseline"] = "old.json";
  ASSERT_EQ(runner.run(inputs), 0) << runner.said();
  EXPECT_TRUE(contains(runner.said(), "old.json is not there yet")) << runner.said();
  EXPECT_EQ(runner.outputs().at("junit"), "");
  fs::copy_file(runner.file(runner.outputs().at("report")), runner.file("old.json"));
  inputs["options"] += "--exclude-op Gemm";
  inputs["baseline-gates"] = "--max-float-rise 0\n--max-agreement-drop 50";
  EXPECT_EQ(runner.run(inputs), 8) << runner.said();
  EXPECT_TRUE(contains(runner.summary(), "### Quantization: what changed")) << runner.summary();
  EXPECT_TRUE(contains(runner.said(), "--max-float-rise allows 0")) << runner.said();
  EXPECT_EQ(runner.outputs().at("holds"), "false");
}

TEST(Action, InputsAreNoCode) {
  Runner runner(fresh_folder());
  Map inputs = demo_inputs();
  inputs["data"] = "$(touch owned); `touch owned`";
  EXPECT_EQ(runner.run(inputs), 4) << runner.said();
  inputs = demo_inputs();
  inputs["options"] += "--exclude $(touch owned)";
  EXPECT_EQ(runner.run(inputs), 2) << runner.said();
  EXPECT_FALSE(fs::exists(runner.file("owned")));
  inputs = demo_inputs();
  inputs["gates"] = "min-agreement: 95";
  EXPECT_EQ(runner.run(inputs), 2);
  EXPECT_TRUE(contains(runner.said(), "is no option: write one a line")) << runner.said();
}

// The lines of a list of the job, folded ones joined as YAML does.
std::vector<std::string> script_of(const std::string& yaml, const std::string& key) {
  std::vector<std::string> commands;
  bool inside = false;
  for (const std::string& line : lines_of(yaml)) {
    if (line.starts_with("  ") && line[2] != ' ') inside = line == "  " + key + ":";
    if (!inside || !line.starts_with("    ")) continue;
    if (line.starts_with("    - "))
      commands.push_back(line == "    - >" ? "" : line.substr(6));
    else
      commands.back() += (commands.back().empty() ? "" : " ") + line.substr(6);
  }
  return commands;
}

TEST(GitLab, TheJobRuns) {
  const fs::path folder = fresh_folder();
  const std::vector<std::string> script =
      script_of(read_file(source_dir() / "ci/gitlab.yml"), "script");
  ASSERT_EQ(script.size(), 3u);
  const auto run = [&](const std::string& gates, const std::string& baseline) {
    std::string all = "set -eo pipefail\n";
    for (const std::string& command : script) all += command + "\n";
    return run_command(
        {"env", "-C", folder.string(),
         "PATH=" + fs::path(INTAGLIO_BINARY).parent_path().string() + ":" + std::getenv("PATH"),
         "INTAGLIO_MODEL=" + data("demo.onnx"), "INTAGLIO_DATA=" + data("calib"),
         "INTAGLIO_TARGET=onnxruntime", "INTAGLIO_OPTIONS=--limit 30 --effort fast",
         "INTAGLIO_GATES=" + gates, "INTAGLIO_BASELINE=" + baseline,
         "INTAGLIO_BASELINE_GATES=--max-size-growth 1", "bash", "-c", all});
  };
  Ran ran = run("", "");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(fs::exists(folder / "intaglio/summary.md"));
  fs::copy_file(folder / "intaglio/report.json", folder / "old.json");
  ran = run("--min-agreement 50", "old.json");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  for (const char* file : {"quantize.junit.xml", "diff.junit.xml", "changes.md"})
    EXPECT_TRUE(fs::exists(folder / "intaglio" / file)) << file;
  EXPECT_EQ(run("--min-sqnr 90", "").exit_code, 8);
}

TEST(CiPage, ShowsTheFilesAsTheyAre) {
  const std::string page = read_file(source_dir() / "docs/ci.md");
  for (const char* file : {"ci/gitlab.yml", "Dockerfile"})
    EXPECT_TRUE(contains(page, "\n" + read_file(source_dir() / file) + "```\n")) << file;
  const Action action = read_action(read_file(source_dir() / "ci/action/action.yml"));
  for (const auto& [name, value] : action.defaults)
    EXPECT_TRUE(contains(page, "| `" + name + "` |")) << name;
  for (const auto& [name, value] : action.outputs)
    EXPECT_TRUE(contains(page, "`" + name + "`")) << name;
}

}  // namespace
}  // namespace intaglio::testing
