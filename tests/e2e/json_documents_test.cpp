// What every command prints with --json, and every JSON file that is written, is as the schema of
// docs/report.schema.json says.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

class JsonDocuments : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  // Runs a line, in which CALIB, MODEL, RECIPE and LABELS stand for the demo's and @ for the
  // folder of the test, and returns what it printed.
  std::string run(const std::string& line, std::initializer_list<int> codes = {0}) const {
    std::vector<std::string> arguments;
    std::istringstream words(line);
    for (std::string word; words >> word;) arguments.push_back(meant(word));
    const Ran ran = run_program(arguments);
    EXPECT_TRUE(std::ranges::find(codes, ran.exit_code) != codes.end()) << line << "\n" << ran.err;
    return ran.out;
  }

  Json valid(const std::string& line, const std::string& schema,
             std::initializer_list<int> codes = {0}) const {
    const Json json = parse_json(run(line, codes), line);
    EXPECT_EQ(json["schema"], schema) << line;
    expect_valid(json);
    return json;
  }

 private:
  std::string meant(std::string word) const {
    const std::vector<std::pair<std::string, std::string>> names = {
        {"MODEL", data("demo.onnx")},
        {"CALIB", data("calib")},
        {"RECIPE", data("preprocess.json")},
        {"LABELS", data("calib/labels.csv")},
        {"@", folder_.string()}};
    for (const auto& [name, meaning] : names)
      if (const std::size_t at = word.find(name); at != word.npos)
        word.replace(at, name.size(), meaning);
    return word;
  }

  const std::filesystem::path folder_ = fresh_folder();
};

// The commands of `intaglio --help` that take --json.
std::set<std::string> commands_with_json() {
  std::set<std::string> found;
  const std::string help = run_program({"--help"}).out;
  std::istringstream lines(help.substr(help.find("Commands:")));
  std::smatch match;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_search(line, match, std::regex("^  ([a-z]+) ")) &&
        contains(run_program({match[1], "--help"}).out, "\n  --json "))
      found.insert(match[1]);
  return found;
}

TEST_F(JsonDocuments, OfEveryCommand) {
  const std::string on_data = " --data CALIB --limit 12 --preprocess RECIPE ";
  run("quantize MODEL" + on_data +
      "--effort best -o @/q.onnx --report @/old.json --save-plan "
      "@/plan.json --samples @/samples.json");
  const std::vector<std::pair<std::string, std::string>> documents = {
      {"quantize MODEL" + on_data + "--effort fast -o @/b.onnx --json --report @/new.json",
       "intaglio.report/1"},
      {"quantize MODEL --dry-run --json", "intaglio.plan/1"},
      {"quantize MODEL --format dynamic --eval-limit 0 -o @/d.onnx --json", "intaglio.report/1"},
      {"calibrate MODEL" + on_data + "--shard 1/2 -o @/1.statistics --json",
       "intaglio.calibration/1"},
      {"calibrate MODEL" + on_data + "--shard 2/2 -o @/2.statistics --json",
       "intaglio.calibration/1"},
      {"merge @/1.statistics --partial -o @/part.statistics --json", "intaglio.merge/1"},
      {"merge @/1.statistics @/2.statistics -o @/all.statistics --json", "intaglio.merge/1"},
      {"compare MODEL" + on_data + "--method minmax --method mse --json", "intaglio.compare/1"},
      {"evaluate @/q.onnx --reference MODEL --min-sqnr 3" + on_data + "--json",
       "intaglio.evaluation/1"},
      {"evaluate MODEL --labels LABELS" + on_data + "--json", "intaglio.evaluation/1"},
      {"analyze MODEL" + on_data + "--samples 2 --json", "intaglio.analysis/1"},
      {"run @/q.onnx --data CALIB/0000.jpg --preprocess RECIPE --top 3 --repeat 2 --profile --json",
       "intaglio.run/1"},
      {"run MODEL --data CALIB/0000.jpg --preprocess RECIPE --repeat 2 --parallel --json",
       "intaglio.run/1"},
      {"check @/q.onnx --json", "intaglio.check/1"},
      {"check @/q.onnx --target tensorrt --json", "intaglio.check/1"},
      {"inspect MODEL --json", "intaglio.inspect/1"},
      {"inspect @/q.onnx --ops --json", "intaglio.inspect/1"},
      {"inspect @/q.onnx --layers --json", "intaglio.inspect/1"},
      {"inspect @/part.statistics --json", "intaglio.inspect/1"},
      {"inspect @/all.statistics --json", "intaglio.inspect/1"},
      {"inspect @/plan.json --json", "intaglio.plan/1"},
      {"preview MODEL" + on_data + "-o @/page.html --json", "intaglio.preview/1"},
      {"diff @/old.json @/new.json --max-size-growth 1 --json", "intaglio.diff/1"},
  };
  std::set<std::string> missing = commands_with_json();
  EXPECT_GE(missing.size(), 11u);
  for (const auto& [line, schema] : documents) {
    valid(line, schema, {0, 8});
    missing.erase(line.substr(0, line.find(' ')));
  }
  EXPECT_TRUE(missing.empty()) << *missing.begin();
  for (const char* file : {"plan.json", "samples.json"}) expect_valid(read_json_file(here(file)));
}

// Where the schema asks for what a document of the kind does not have, it says no.
TEST_F(JsonDocuments, AreToldApart) {
  const JsonSchema schema(read_json_file(source_dir() / "docs/report.schema.json"));
  Json ops = valid("inspect MODEL --ops --json", "intaglio.inspect/1");
  EXPECT_TRUE(schema.errors(ops).empty());
  ops["kind"] = "layers";
  EXPECT_FALSE(schema.errors(ops).empty());
  Json check = valid("check MODEL --json", "intaglio.check/1", {8});
  check["nodes"][0]["verdict"] = "maybe";
  EXPECT_FALSE(schema.errors(check).empty());
}

}  // namespace
}  // namespace intaglio::testing
