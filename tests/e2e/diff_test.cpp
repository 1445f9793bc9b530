// `diff`: what it finds between two reports, real ones and such as are made up for it, and what it
// refuses.
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/base/atomic_file.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/e2e/json_schema.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

Json node(const char* name, const char* status, const char* reason = "") {
  return {{"name", name},
          {"op", "Conv"},
          {"output", std::string(name) + ":0"},
          {"status", status},
          {"reason", reason}};
}

Json activation(const char* name, double lo, double hi, const char* type = "uint8") {
  return {{"name", name}, {"kind", "activation"}, {"type", type}, {"lo", lo}, {"hi", hi}};
}

// What diff reads of a report, and no more.
Json report() {
  const std::string hash(64, 'a');
  return {
      {"schema", "intaglio.report/1"},
      {"command", "quantize"},
      {"tool", {{"name", "intaglio"}, {"version", "0.1.0"}}},
      {"model", {{"path", "m.onnx"}, {"sha256", hash}}},
      {"output", {{"path", "m.int8.onnx"}, {"sha256", hash}, {"bytes", 1000}, {"format", "qdq"}}},
      {"target", "onnxruntime"},
      {"method", {{"name", "percentile"}, {"p", 99.9}}},
      {"data", {{"sha256", hash}}},
      {"nodes", {node("a", "quantized"), node("b", "quantized"), node("c", "float", "no rule")}},
      {"values", {activation("x", 0, 1), activation("y", -1, 1), activation("z", 0, 4)}},
      {"check", {{"integer_macs_percent", 90.0}}},
      {"evaluation",
       {{"samples", 200},
        {"top1", nullptr},
        {"top5", nullptr},
        {"agreement", 98.0},
        {"intervals", {{"top1", nullptr}, {"top5", nullptr}, {"agreement", {95.0, 99.2}}}},
        {"metrics", {{"names", {"agreement", "sqnr", "cosine"}}}},
        {"outputs",
         {{{"name", "p"}, {"sqnr_db", 30.0}, {"cosine", 0.999}, {"psnr_db", nullptr}}}}}},
      {"evaluation_source", "held_out"},
      {"run", {{"options", {{"limit", 100}, {"target", "onnxruntime"}}}}},
  };
}

class Diff : public ::testing::Test {
 protected:
  std::string here(const std::string& name) const { return (folder_ / name).string(); }

  std::string save(const std::string& name, const Json& json) const {
    write_file(here(name), json.dump());
    return here(name);
  }
  Ran run(const Json& old, const Json& now, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"diff", save("old.json", old), save("new.json", now)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }
  Json document(const Json& old, const Json& now) const {
    const Ran ran = run(old, now, {"--json"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const Json json = parse_json(ran.out, "diff");
    expect_valid(json);
    return json;
  }

  static const Json& figure(const Json& document, const std::string& name) {
    const Json& list = document["figures"];
    return *std::find_if(list.begin(), list.end(),
                         [&](const Json& f) { return f["name"] == name; });
  }

 private:
  const std::filesystem::path folder_ = fresh_folder();
};

TEST_F(Diff, OfTheSameReportIsEmpty) {
  const Json d = document(report(), report());
  EXPECT_TRUE(d["notes"].empty());
  EXPECT_TRUE(d["nodes"]["changed"].empty());
  EXPECT_TRUE(d["values"]["moved"].empty());
  EXPECT_TRUE(d["options"].empty());
  EXPECT_EQ(d["values"]["compared"], 3);
  for (const Json& f : d["figures"]) EXPECT_EQ(f["worse_by"], 0) << f;
  EXPECT_TRUE(contains(run(report(), report()).out, "no node changed form\nno range moved, of 3"));
}

TEST_F(Diff, FiguresAreWorseByTheirGatesUnits) {
  Json now = report();
  now["output"]["bytes"] = 1050;
  now["evaluation"]["agreement"] = 96.5;
  now["evaluation"]["outputs"][0]["sqnr_db"] = 31.0;
  now["nodes"][1]["status"] = "float";
  const Json d = document(report(), now);
  EXPECT_NEAR(figure(d, "output_bytes")["worse_by"].get<double>(), 5, 1e-9);
  EXPECT_NEAR(figure(d, "agreement")["worse_by"].get<double>(), 1.5, 1e-9);
  EXPECT_NEAR(figure(d, "sqnr_db")["worse_by"].get<double>(), -1, 1e-9);
  EXPECT_EQ(figure(d, "float_nodes")["worse_by"], 1);
  EXPECT_EQ(figure(d, "integer_macs")["worse_by"], 0);
}

// Null of a figure that was measured stands for no noise; of another it stands for none.
TEST_F(Diff, ExactIsBetterThanAnyFigure) {
  Json exact = report();
  exact["evaluation"]["outputs"][0]["sqnr_db"] = nullptr;
  const Json d = document(exact, report());
  EXPECT_EQ(figure(d, "sqnr_db")["old"]["exact"], true);
  EXPECT_TRUE(contains(run(exact, report()).out, "SQNR dB, 'p'")) << run(exact, report()).out;
  EXPECT_FALSE(contains(d.dump(), "psnr_db"));
  EXPECT_EQ(run(exact, report(), {"--max-sqnr-drop", "100"}).exit_code, 8);
  EXPECT_EQ(run(report(), exact, {"--max-sqnr-drop", "0"}).exit_code, 0);
}

TEST_F(Diff, NodesThatChangeFormHaveBothReasons) {
  Json now = report();
  now["nodes"][0] = node("a", "float", "range is not finite");
  now["nodes"][2] = node("c", "quantized");
  now["nodes"].push_back(node("d", "quantized"));
  now["nodes"].erase(1);
  const Json nodes = document(report(), now)["nodes"];
  ASSERT_EQ(nodes["changed"].size(), 2u);
  EXPECT_EQ(nodes["changed"][0]["name"], "a");
  EXPECT_EQ(nodes["changed"][0]["new"]["reason"], "range is not finite");
  EXPECT_EQ(nodes["changed"][1]["old"]["reason"], "no rule");
  ASSERT_EQ(nodes["gone"].size(), 1u);
  EXPECT_EQ(nodes["gone"][0]["name"], "b");
  ASSERT_EQ(nodes["added"].size(), 1u);
  EXPECT_EQ(nodes["added"][0]["name"], "d");
  EXPECT_TRUE(contains(run(report(), now).out, "range is not finite"));
}

TEST_F(Diff, RangesThatMovedFarthestComeFirst) {
  Json now = report();
  now["values"] = {activation("x", 0, 1.1), activation("y", -1.5, 1),
                   activation("z", 0, 4, "int8")};
  const Json values = document(report(), now)["values"];
  ASSERT_EQ(values["moved"].size(), 2u);
  EXPECT_EQ(values["moved"][0]["name"], "y");
  EXPECT_NEAR(values["moved"][0]["moved"].get<double>(), 0.25, 1e-9);
  EXPECT_EQ(values["moved"][1]["name"], "x");
  EXPECT_NEAR(values["moved"][1]["moved"].get<double>(), 0.1, 1e-9);
  ASSERT_EQ(values["retyped"].size(), 1u);
  EXPECT_EQ(values["retyped"][0]["new"]["type"], "int8");
  const std::string out = run(report(), now).out;
  EXPECT_LT(out.find("25.00"), out.find("10.00")) << out;
  EXPECT_TRUE(contains(run(report(), now, {"--top", "1"}).out, "and 1 more")) << out;
}

// A weight that two nodes store has two entries; one that stays float has one, of no node.
TEST_F(Diff, ConstantsAreMatchedByTheirNode) {
  const auto weight = [](const char* owner, double hi) {
    return Json{{"name", "w"},    {"kind", "weight"}, {"node", owner},
                {"type", "int8"}, {"lo", -hi},        {"hi", hi}};
  };
  Json old = report(), now = report();
  old["values"] = {weight("a", 1), weight("b", 2)};
  now["values"] = {weight("b", 2), weight("a", 3)};
  const Json moved = document(old, now)["values"]["moved"];
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_EQ(moved[0]["node"], "a");
  old["values"] = {weight("a", 1)};
  now["values"] = {{{"name", "w"}, {"kind", "constant"}, {"type", "float"}}};
  const Json retyped = document(old, now)["values"]["retyped"];
  ASSERT_EQ(retyped.size(), 1u);
  EXPECT_EQ(retyped[0]["new"]["type"], "float");
}

TEST_F(Diff, OptionsAndNotesSayWhatElseDiffers) {
  Json now = report();
  now["run"]["options"] = {{"target", "qnn"}, {"symmetric", true}};
  now["target"] = "qnn";
  now["evaluation"]["samples"] = 100;
  now["model"]["sha256"] = std::string(64, 'b');
  const Json d = document(report(), now);
  ASSERT_EQ(d["options"].size(), 3u);
  EXPECT_EQ(d["options"][0], (Json{{"name", "target"}, {"old", "onnxruntime"}, {"new", "qnn"}}));
  EXPECT_EQ(d["options"][2], (Json{{"name", "limit"}, {"old", 100}, {"new", nullptr}}));
  const std::string notes = d["notes"].dump();
  for (const char* part :
       {"the float models differ", "'onnxruntime' and 'qnn'", "200 (held_out) and 100 (held_out)"})
    EXPECT_TRUE(contains(notes, part)) << notes;
}

TEST_F(Diff, GatesSayByHowMuchAndHowSure) {
  Json now = report();
  now["evaluation"]["agreement"] = 96.0;
  now["evaluation"]["intervals"]["agreement"] = {92.3, 98.0};
  const Ran held = run(report(), now, {"--max-agreement-drop", "3"});
  EXPECT_EQ(held.exit_code, 0) << held.err;
  EXPECT_TRUE(contains(held.out, "gate --max-agreement-drop 3: holds")) << held.out;
  EXPECT_TRUE(contains(held.out, "the interval holds the limit: more samples would tell"));
  const Ran missed = run(report(), now,
                         {"--max-agreement-drop", "1", "--max-size-growth", "0", "--junit",
                          here("gates.xml"), "--markdown", here("changes.md")});
  EXPECT_EQ(missed.exit_code, 8);
  EXPECT_TRUE(contains(missed.err,
                       "agreement % goes from 98.00 to 96.00, worse by 2.00, "
                       "--max-agreement-drop allows 1"))
      << missed.err;
  EXPECT_TRUE(contains(read_file(here("gates.xml")), "tests=\"2\" failures=\"1\""));
  EXPECT_TRUE(contains(read_file(here("changes.md")), "| --max-agreement-drop | 1 | 2 | missed |"))
      << read_file(here("changes.md"));
}

TEST_F(Diff, AGateOnWhatAReportLacksIsMissed) {
  Json now = report();
  now["evaluation"] = nullptr;
  const Ran ran = run(report(), now, {"--max-agreement-drop", "50"});
  EXPECT_EQ(ran.exit_code, 8);
  EXPECT_TRUE(contains(ran.err, "not both reports have agreement %")) << ran.err;
  EXPECT_EQ(run(report(), report(), {"--max-kl-rise", "1"}).exit_code, 8);
  EXPECT_EQ(run(report(), report(), {"--max-kl-rise", "nan"}).exit_code, 2);
}

TEST_F(Diff, MarkdownIsSafe) {
  Json now = report();
  now["nodes"][0] = node("a|<b>*c*", "float", "because");
  Json old = report();
  old["nodes"][0] = node("a|<b>*c*", "quantized");
  ASSERT_EQ(run(old, now, {"--markdown", here("changes.md")}).exit_code, 0);
  const std::string text = read_file(here("changes.md"));
  EXPECT_TRUE(contains(text, "| a\\|&lt;b&gt;\\*c\\* | Conv | quantized | float | because |"))
      << text;
  EXPECT_TRUE(contains(text, "<summary>nodes that changed form: 1</summary>")) << text;
  EXPECT_TRUE(contains(text, "| figure | old | new | change |\n| --- | ---: | ---: | ---: |"));
}

TEST_F(Diff, RefusesWhatIsNoReportOfQuantize) {
  const auto refused = [&](const Json& wrong, int code, const std::string& part) {
    const Ran ran = run(report(), wrong);
    EXPECT_EQ(ran.exit_code, code);
    EXPECT_TRUE(contains(ran.err, "new.json") && contains(ran.err, part)) << ran.err;
  };
  Json wrong = report();
  wrong["schema"] = "intaglio.compare/1";
  refused(wrong, 3, "holds 'intaglio.compare/1', not a report of quantize");
  wrong["schema"] = "intaglio.report/2";
  refused(wrong, 3, "a report of version 'intaglio.report/2'");
  refused(Json::array(), 3, "it names no schema");
  wrong = report();
  wrong["nodes"][1].erase("status");
  refused(wrong, 3, "$.nodes[1].status: is missing");
  wrong = report();
  wrong["evaluation"]["outputs"] = 3;
  refused(wrong, 3, "$.evaluation.outputs: expected a list");
  wrong = report();
  wrong["values"] = {1, 2};
  refused(wrong, 3, "$.values[0]: expected an object");
  wrong = report();
  wrong["output"]["bytes"] = "many";
  refused(wrong, 3, "$.output.bytes: expected a number");
  EXPECT_EQ(run_program({"diff", here("none.json"), here("none.json")}).exit_code, 4);
  const Ran same =
      run_program({"diff", save("a.json", report()), here("a.json"), "--markdown", here("a.json")});
  EXPECT_EQ(same.exit_code, 2) << same.err;
}

TEST_F(Diff, OfRealReports) {
  const auto quantize = [&](const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"quantize",     data("demo.onnx"),
                                          "--data",       data("calib"),
                                          "--limit",      "20",
                                          "--preprocess", data("preprocess.json"),
                                          "--effort",     "fast",
                                          "-o",           here("int8.onnx"),
                                          "--report",     here(name)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = run_program(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  };
  quantize("old.json", {});
  quantize("new.json", {"--method", "minmax", "--exclude-op", "Add"});
  const Ran ran = run_program({"diff", here("old.json"), here("new.json"), "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Json d = parse_json(ran.out, "diff");
  expect_valid(d);
  EXPECT_FALSE(d["nodes"]["changed"].empty());
  for (const Json& change : d["nodes"]["changed"]) EXPECT_EQ(change["new"]["status"], "float");
  EXPECT_FALSE(d["values"]["moved"].empty());
  EXPECT_TRUE(contains(d["options"].dump(), "exclude-op"));
  EXPECT_EQ(figure(d, "float_nodes")["worse_by"], d["nodes"]["changed"].size());
}

}  // namespace
}  // namespace intaglio::testing
