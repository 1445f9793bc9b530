// Gates against evaluations that are written down: what passes, what misses, and what is said.
#include "apps/pipeline/gates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

namespace intaglio {
namespace {

// An output with a signal of 1 and the given noise, both as sums of squares.
OutputDeviation output_with(double noise) {
  OutputDeviation output{.name = "y", .deviation = {}};
  output.deviation = {.xx = 1, .yy = 1, .xy = 1, .dd = noise, .count = 1};
  return output;
}

Evaluation evaluation_with(double noise) {
  Evaluation e;
  e.outputs = {output_with(noise)};
  return e;
}

std::string only_missed(const Gates& gates, const Evaluation& evaluation) {
  const auto missed = gates.missed(evaluation);
  return missed.size() == 1 ? missed.front() : fmt::format("{} missed", missed.size());
}

std::optional<Code> code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.code();
  }
  return std::nullopt;
}

TEST(Gates, AFigureAtItsLimitPasses) {
  const Gates gates{.limits = {{"min-sqnr", 20}}};
  EXPECT_TRUE(gates.missed(evaluation_with(0.01)).empty());  // 20 dB
  EXPECT_EQ(only_missed(gates, evaluation_with(0.1)),
            "output 'y' has 10 dB, --min-sqnr asks for 20");
}

TEST(Gates, AnExactOutputPassesAndNoSignalMisses) {
  EXPECT_TRUE((Gates{.limits = {{"min-sqnr", 300}}}).missed(evaluation_with(0)).empty());
  Evaluation silent = evaluation_with(0.1);
  silent.outputs.front().deviation.xx = 0;
  EXPECT_EQ(only_missed({.limits = {{"min-sqnr", 1}}}, silent),
            "output 'y' has 0 dB, --min-sqnr asks for 1");
}

TEST(Gates, ValuesThatOneModelAloneHasNoNumberForMissWhateverIsAsked) {
  Evaluation e = evaluation_with(0);
  e.outputs.front().deviation.one_sided = 3;
  EXPECT_NE(
      only_missed({.limits = {{"min-cosine", 0}}}, e).find("3 values that are NaN or infinite"),
      std::string::npos);
}

TEST(Gates, EveryOutputIsJudged) {
  Evaluation e;
  e.outputs = {output_with(0.001), output_with(0.1), output_with(0.2)};
  EXPECT_EQ((Gates{.limits = {{"min-sqnr", 20}}}).missed(e).size(), 2u);
}

TEST(Gates, ClassesAreJudgedByAgreementAndByTop1) {
  Evaluation e;
  e.agreement = Share{97, 100};
  e.reference = Accuracy{.top1 = {800, 1000}, .top5 = {1, 1}};
  e.accuracy = Accuracy{.top1 = {785, 1000}, .top5 = {1, 1}};
  EXPECT_TRUE((Gates{.limits = {{"min-agreement", 97}}}).missed(e).empty());
  EXPECT_TRUE((Gates{.limits = {{"max-agreement-drop", 3}}}).missed(e).empty());
  EXPECT_TRUE((Gates{.limits = {{"max-top1-drop", 1.5}}}).missed(e).empty());
  EXPECT_EQ(
      (Gates{.limits = {{"max-top1-drop", 1}, {"min-agreement", 98}, {"max-agreement-drop", 2}}})
          .missed(e)
          .size(),
      3u);
}

TEST(Gates, Top1ByItselfIsAShareWithItsInterval) {
  Evaluation e;
  e.accuracy = Accuracy{.top1 = {180, 200}, .top5 = {1, 1}};
  EXPECT_TRUE((Gates{.limits = {{"min-top1", 90}}}).missed(e).empty());
  const Gates above{.limits = {{"min-top1", 92}}};
  EXPECT_EQ(only_missed(above, e), "top-1 is 90.00 %, --min-top1 asks for 92");
  EXPECT_TRUE(above.judge(e).front().unsure()) << "92 lies in the interval";
  EXPECT_NO_THROW(above.require_measurable(true, false)) << "needs no float model";
  EXPECT_EQ(code_of([&] { above.require_measurable(false, true); }), Code::usage);
  EXPECT_NE(only_missed(above, {}).find("no sample has a label"), std::string::npos);
}

TEST(Gates, NothingFoundIsAMiss) {
  Evaluation e;
  e.boxes = BoxMatches{};
  e.strings = StringErrors{};
  EXPECT_NE(only_missed({.limits = {{"min-boxes-f1", 0.1}}}, e).find("no F1"), std::string::npos);
  EXPECT_NE(only_missed({.limits = {{"max-character-error", 50}}}, e).find("reads no characters"),
            std::string::npos);
}

TEST(Gates, BoxesAndStringsAtTheirLimitsPass) {
  Evaluation e;
  e.boxes = BoxMatches{.matched = 9, .expected = 10, .found = 10};
  e.strings = StringErrors{.lines = 4, .equal = 3, .characters = 100, .errors = 2};
  const Gates at{
      .limits = {{"min-boxes-f1", 0.9}, {"max-character-error", 2}, {"min-equal-lines", 75}}};
  EXPECT_TRUE(at.missed(e).empty());
  const Gates beyond{
      .limits = {{"min-boxes-f1", 0.91}, {"max-character-error", 1.9}, {"min-equal-lines", 76}}};
  EXPECT_EQ(beyond.missed(e).size(), 3u);
}

TEST(Gates, TheyNameTheMetricsThatTheyNeed) {
  EXPECT_FALSE(Gates{}.any());
  const Gates gates{.limits = {{"min-sqnr", 1},
                               {"max-top1-drop", 1},
                               {"max-agreement-drop", 1},
                               {"min-equal-lines", 1}}};
  EXPECT_EQ(gates.metrics(),
            (std::vector{Metric::topk, Metric::agreement, Metric::sqnr, Metric::ctc}));
}

TEST(Gates, WhatCannotBeMeasuredIsRefusedBeforehand) {
  const Gates none, sqnr{.limits = {{"min-sqnr", 1}}}, top1{.limits = {{"max-top1-drop", 1}}};
  EXPECT_NO_THROW(none.require_measurable(false, false));
  EXPECT_NO_THROW(sqnr.require_measurable(false, true));
  EXPECT_NO_THROW(top1.require_measurable(true, true));
  EXPECT_EQ(code_of([&] { sqnr.require_measurable(true, false); }), Code::usage);
  EXPECT_EQ(code_of([&] { top1.require_measurable(false, true); }), Code::usage);
}

TEST(Gates, AShareInPlaceOfPercentIsDoubted) {
  EXPECT_EQ((Gates{.limits = {{"min-agreement", 0.98}}}).doubts().size(), 1u);
  EXPECT_TRUE((Gates{.limits = {{"min-agreement", 98}, {"min-cosine", 0.98}}}).doubts().empty());
  EXPECT_TRUE((Gates{.limits = {{"max-agreement-drop", 0.5}}}).doubts().empty());
}

TEST(Gates, PositionsAreNotCalledSamples) {
  Evaluation e;
  e.samples = 10;
  e.agreement = Share{270, 300};
  EXPECT_EQ(only_missed({.limits = {{"min-agreement", 95}}}, e),
            "90.00 % of the 300 positions keep their top class, --min-agreement asks for 95");
}

TEST(Gates, ACheckNamesEveryMiss) {
  Evaluation e = evaluation_with(0.1);
  e.agreement = Share{1, 2};
  try {
    require_held(Gates{.limits = {{"min-sqnr", 20}, {"min-agreement", 90}}}.judge(e), "Do this.");
    FAIL() << "passed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::accuracy);
    EXPECT_EQ(error.remedy(), "Do this.");
    EXPECT_NE(std::string(error.what()).find("--min-sqnr"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("--min-agreement"), std::string::npos);
  }
}

}  // namespace
}  // namespace intaglio
