#include <gtest/gtest.h>

#include "apps/commands/progress_line.h"

namespace intaglio {
namespace {

TEST(Progress, TellsRateAndTimeOnceTheyMeanSomething) {
  EXPECT_EQ(progress_text("refine", 0, 23, 0), "refine: 0 of 23");
  EXPECT_EQ(progress_text("refine", 0, 23, 60), "refine: 0 of 23");
  EXPECT_EQ(progress_text("calibrate", 1, 20, 1e-9), "calibrate: 1 of 20");
  EXPECT_EQ(progress_text("calibrate", 20, 100, 5),
            "calibrate: 20 of 100, 4.0 a second, 20 s left");
  EXPECT_EQ(progress_text("analyze", 1, 40, 30), "analyze: 1 of 40, 19 min 30 s left");
  EXPECT_EQ(progress_text("refine", 57, 58, 1), "refine: 57 of 58, 57.0 a second");
  EXPECT_EQ(progress_text("calibrate", 100, 100, 25), "calibrate: 100 of 100, 25 s");
}

TEST(Progress, FitsIntoTheTerminal) {
  EXPECT_EQ(progress_text("calibrate", 20, 100, 5, 20), "calibrate: 20 of 10");
}

TEST(Progress, DurationsAreToldInTwoUnitsAtMost) {
  EXPECT_EQ(duration_text(0.24), "0.2 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 5 min");
}

}  // namespace
}  // namespace intaglio
