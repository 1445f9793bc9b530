// The table of metrics: whatever a gate, an objective, a table or a report asks of a metric, every
// row answers.
#include "lib/eval/metric_def.h"

#include <gtest/gtest.h>

#include <set>

namespace intaglio {
namespace {

constexpr std::size_t last = static_cast<std::size_t>(Metric::tokens);

Evaluation nothing_measured() {
  Evaluation e;
  e.boxes = BoxMatches{};
  e.strings = StringErrors{};
  e.tokens = TokenErrors{};
  return e;
}

TEST(MetricDef, EveryMetricHasItsRow) {
  ASSERT_EQ(all_metrics().size(), last + 1);
  for (std::size_t i = 0; i <= last; ++i) {
    const MetricDef& def = def_of(static_cast<Metric>(i));
    EXPECT_EQ(def.metric, static_cast<Metric>(i)) << def.name;
    EXPECT_EQ(parse_metric(def.name), def.metric);
    EXPECT_EQ(name_of(def.metric), def.name);
  }
}

TEST(MetricDef, EveryMetricHasAGateAMeritAndColumns) {
  for (const MetricDef& def : all_metrics()) {
    EXPECT_FALSE(def.gates.empty()) << def.name << ": no gate";
    EXPECT_FALSE(columns_of(def).empty()) << def.name << ": tables say nothing of it";
    EXPECT_FALSE(superlative_of(def).empty()) << def.name << ": best at what?";
    ASSERT_TRUE(def.of_outputs() || (def.merit != nullptr && def.merit_text != nullptr))
        << def.name;
    EXPECT_FALSE(merit_text(def, merit_of(def, {})).empty()) << def.name;
    for (const MetricColumn& column : columns_of(def)) {
      EXPECT_FALSE(column.head.empty()) << def.name;
      EXPECT_FALSE(column.model(nothing_measured()).empty()) << def.name;
      column.reference(nothing_measured());
    }
  }
}

TEST(MetricDef, FiguresOfOutputsHaveKeysAndWords) {
  std::set<std::string_view> keys;
  for (const MetricDef& def : all_metrics()) {
    if (!def.of_outputs()) continue;
    EXPECT_TRUE(keys.insert(def.output.key).second) << def.name;
    for (const std::string_view word :
         {def.output.label, def.output.of_what, def.output.undefined, def.output.key})
      EXPECT_FALSE(word.empty()) << def.name;
    EXPECT_EQ(def.output.text(std::nullopt), def.output.undefined);
  }
}

TEST(MetricDef, GatesAreNamedByTheSideThatTheyKeep) {
  std::set<std::string_view> names;
  for (const auto& [metric, gate] : all_gates()) {
    EXPECT_TRUE(names.insert(gate->name).second) << gate->name << " stands there twice";
    EXPECT_TRUE(gate->name.starts_with("min-") || gate->name.starts_with("max-")) << gate->name;
    EXPECT_FALSE(gate->unit.empty() || gate->help.empty()) << gate->name;
    EXPECT_TRUE(gate->judge != nullptr || metric->of_outputs()) << gate->name << " judges nothing";
  }
}

// What is exact is not missed; noise of all of the signal is, whatever the figure.
TEST(MetricDef, GatesOfOutputsJudgeTheirFigures) {
  Evaluation exact, noisy;
  exact.outputs = {{.name = "y", .deviation = {.xx = 1, .yy = 1, .xy = 1, .dd = 0, .count = 1}}};
  noisy.outputs = {{.name = "y", .deviation = {.xx = 1, .yy = 1, .xy = -1, .dd = 4, .count = 1}}};
  exact.outputs.front().reference = noisy.outputs.front().reference = {-1, 1};
  for (const MetricGate& gate : all_gates()) {
    if (!gate.metric->of_outputs()) continue;
    const bool least = gate.gate->name.starts_with("min-");
    EXPECT_EQ(least, !gate.metric->output.small) << gate.gate->name;
    const GateLimit limit{"the gate", least ? 0.5 : 0.25};
    EXPECT_EQ(gate.judge(exact, limit).front().missed, "") << gate.gate->name;
    ASSERT_EQ(gate.judge(noisy, limit).size(), 1u) << gate.gate->name;
    EXPECT_NE(gate.judge(noisy, limit).front().missed.find("the gate"), std::string::npos);
    EXPECT_GT(merit_of(*gate.metric, exact), merit_of(*gate.metric, noisy)) << gate.gate->name;
  }
}

TEST(MetricDef, OutputsOfEveryKindSuitSomeMetric) {
  for (bool SuitedOutputs::*kind :
       {&SuitedOutputs::boxes, &SuitedOutputs::scores, &SuitedOutputs::images,
        &SuitedOutputs::tokens, &SuitedOutputs::others}) {
    const auto metrics = all_metrics();
    EXPECT_TRUE(std::ranges::any_of(metrics, [&](const MetricDef& d) { return d.suits.*kind; }));
  }
}

}  // namespace
}  // namespace intaglio
