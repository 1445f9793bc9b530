// Which of several methods is the best, by each objective.
#include "apps/pipeline/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace intaglio {
namespace {

Evaluation evaluation_with(std::size_t agreement, double noise) {
  Evaluation e;
  e.agreement = Share{agreement, 100};
  e.outputs = {{.name = "y", .deviation = {}}};
  e.outputs.front().deviation = {.xx = 1, .yy = 1, .xy = 1, .dd = noise, .count = 1};
  return e;
}

Best best(const std::vector<Evaluation>& evaluations, const std::string& objective) {
  std::vector<const Evaluation*> pointers;
  for (const Evaluation& e : evaluations) pointers.push_back(&e);
  return best_of(pointers, objective, {});
}

TEST(Objective, TheLargestFigureWins) {
  const std::vector<Evaluation> all = {evaluation_with(90, 0.1), evaluation_with(95, 0.2),
                                       evaluation_with(80, 0.01)};
  EXPECT_EQ(best(all, "agreement").index, 1u);
  EXPECT_EQ(best(all, "agreement").reason, "largest agreement: 95.00 %");
  EXPECT_EQ(best(all, "sqnr").index, 2u);
  EXPECT_EQ(best(all, "sqnr").reason, "largest sqnr: 20.00 dB");
}

TEST(Objective, OfEqualsTheLargerSqnrWinsAndThenTheFirst) {
  const std::vector<Evaluation> all = {evaluation_with(95, 0.2), evaluation_with(95, 0.1),
                                       evaluation_with(95, 0.1)};
  const Best found = best(all, "agreement");
  EXPECT_EQ(found.index, 1u);
  EXPECT_EQ(found.tied, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(found.reason,
            "3 methods cannot be told apart by agreement, and 2 of them not by SQNR either: the "
            "cheapest of those");
}

// Of forty samples, those in `wrong` change their class; the SQNR of each is `db` dB.
Evaluation forty_samples(const std::set<std::size_t>& wrong, double db) {
  Evaluation e = evaluation_with(100, std::pow(10, -db / 10));
  e.agreement = Share{40 - wrong.size(), 40};
  for (std::size_t i = 0; i < 40; ++i) {
    SampleAnswer answer;
    answer.outputs = {e.outputs.front().deviation};
    answer.positions = 1, answer.same = !wrong.contains(i);
    answer.outputs.front().dd *= 1 + 0.01 * static_cast<double>(i % 3);
    e.answers.push_back(answer);
  }
  return e;
}

TEST(Objective, OneSampleMoreIsNoise) {
  const std::vector<Evaluation> all = {forty_samples({}, 24), forty_samples({7}, 27),
                                       forty_samples({7, 9}, 26)};
  const Best found = best(all, "agreement");
  EXPECT_EQ(found.index, 1u) << "by SQNR, which tells them apart";
  EXPECT_EQ(found.reason,
            "3 methods cannot be told apart by agreement; of these the largest SQNR, 27.00 dB");
}

TEST(Objective, ManySamplesMoreAreNot) {
  const std::vector<Evaluation> all = {forty_samples({}, 24),
                                       forty_samples({1, 2, 3, 4, 5, 6, 7, 8}, 27)};
  EXPECT_EQ(best(all, "agreement").index, 0u);
  EXPECT_EQ(best(all, "agreement").reason, "largest agreement: 100.00 %");
}

TEST(Objective, OfThoseAlikeInAllTheCheapestIsTaken) {
  const std::vector<Evaluation> all = {forty_samples({3}, 27), forty_samples({4}, 27)};
  const std::vector<const Evaluation*> pointers = {&all[0], &all[1]};
  EXPECT_EQ(best_of(pointers, "agreement", std::vector{2.0, 1.0}).index, 1u);
  EXPECT_EQ(best_of(pointers, "agreement", std::vector{1.0, 2.0}).index, 0u);
}

TEST(Objective, AnExactOutputIsBetterThanAnyNoise) {
  EXPECT_EQ(best({evaluation_with(0, 1e-12), evaluation_with(0, 0)}, "sqnr").index, 1u);
  EXPECT_EQ(best({evaluation_with(0, 0)}, "sqnr").reason, "largest sqnr: exact dB");
}

TEST(Objective, TheWorstOutputCounts) {
  std::vector<Evaluation> all = {evaluation_with(0, 0.01), evaluation_with(0, 0.05)};
  all[0].outputs.push_back(all[0].outputs.front());
  all[0].outputs.back().deviation.dd = 0.5;
  EXPECT_EQ(best(all, "sqnr").index, 1u);
}

TEST(Objective, OfStringsTheFewestErrorsWin) {
  std::vector<Evaluation> all(2);
  all[0].strings = StringErrors{.lines = 1, .equal = 0, .characters = 100, .errors = 5};
  all[1].strings = StringErrors{.lines = 1, .equal = 0, .characters = 100, .errors = 2};
  EXPECT_EQ(best(all, "ctc").index, 1u);
  EXPECT_EQ(best(all, "ctc").reason, "smallest character error of ctc: 2.00 %");
}

TEST(Objective, TheDefaultIsWhatTheOutputsAreMeasuredBy) {
  const auto by = [](std::vector<Metric> metrics) {
    MetricPlan plan;
    plan.metrics = std::move(metrics);
    return default_objective(plan);
  };
  EXPECT_EQ(by({Metric::sqnr, Metric::agreement}), "agreement");
  EXPECT_EQ(by({Metric::cosine, Metric::sqnr}), "sqnr");
  EXPECT_EQ(by({Metric::boxes}), "boxes");
  EXPECT_EQ(by({}), "sqnr");
}

TEST(Objective, EachOneHasAMetric) {
  for (const std::string& name : objectives()) EXPECT_NE(metric_of(name), nullptr) << name;
  EXPECT_EQ(metric_of(""), nullptr);
}

}  // namespace
}  // namespace intaglio
