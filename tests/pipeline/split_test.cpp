// Which samples are calibrated on, and which are held out to judge by.
#include "apps/pipeline/split.h"

#include <gtest/gtest.h>

#include <set>

#include "calibration/data/dataset.h"
#include "lib/io/load.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::data;

DataOptions demo_data(std::size_t limit) {
  DataOptions options;
  options.data = {data("calib")};  // 100 images
  options.preprocess = data("preprocess.json");
  options.limit = limit;
  return options;
}

struct Parts {
  std::set<std::string> calibrated, judged;
  EvalSource source = EvalSource::seen;
  std::size_t warnings = 0;
};

std::set<std::string> names_of(const DataOptions& options, const Model& model) {
  std::vector<std::string> warnings;
  const SampleSet set(options, options.data, make_recipe(options, model, warnings), model);
  std::set<std::string> names;
  for (std::size_t i = 0; i < set.samples().count; ++i)
    names.insert(set.checked().dataset().name(i));
  return names;
}

Parts parts_of(std::size_t limit, const std::vector<std::string>& eval_data = {}) {
  const Model model = load_model(data("demo.onnx"));
  std::vector<std::string> warnings;
  const Split s = split(demo_data(limit), eval_data, model, warnings);
  return {names_of(s.calibration, model), names_of(s.evaluation, model), s.source, warnings.size()};
}

bool apart(const Parts& parts) {
  for (const std::string& name : parts.judged)
    if (parts.calibrated.contains(name)) return false;
  return true;
}

TEST(Split, JudgesByWhatTheLimitLeavesOut) {
  const Parts parts = parts_of(30);
  EXPECT_EQ(parts.calibrated.size(), 30u);
  EXPECT_EQ(parts.judged.size(), 70u);
  EXPECT_TRUE(apart(parts));
  EXPECT_EQ(parts.source, EvalSource::held_out);
}

TEST(Split, HoldsEverySecondSampleOutWhereNoneAreLeft) {
  for (const std::size_t limit : {0, 100, 1000}) {
    const Parts parts = parts_of(limit);
    EXPECT_EQ(parts.calibrated.size(), 50u) << limit;
    EXPECT_EQ(parts.judged.size(), 50u) << limit;
    EXPECT_TRUE(apart(parts)) << limit;
  }
  const Parts most = parts_of(90);  // ten others are too few beside ninety
  EXPECT_EQ(most.calibrated.size(), 45u);
  EXPECT_EQ(most.judged.size(), 45u);
  EXPECT_TRUE(apart(most));
}

TEST(Split, TheSamplesForItAreTakenAsTheyAre) {
  const Parts parts = parts_of(30, {data("eval")});
  EXPECT_EQ(parts.calibrated.size(), 30u);
  EXPECT_EQ(parts.judged.size(), 1000u);
  EXPECT_EQ(parts.source, EvalSource::given);
}

TEST(Split, OfAHandfulNoneCanBeSpared) {
  DataOptions few = demo_data(0);
  few.data = {data("calib/0000.jpg")};
  std::vector<std::string> warnings;
  const Model model = load_model(data("demo.onnx"));
  const Split s = split(few, {}, model, warnings);
  EXPECT_EQ(s.source, EvalSource::seen);
  EXPECT_EQ(names_of(s.calibration, model), names_of(s.evaluation, model));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings.front().find("only 1 sample:"), std::string::npos);
}

}  // namespace
}  // namespace intaglio
