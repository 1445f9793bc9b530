// Shares of few samples, against intervals worked out by hand from Wilson's formula.
#include "lib/eval/share.h"

#include <gtest/gtest.h>

namespace intaglio {
namespace {

TEST(Share, OfFewSamplesTheIntervalIsWide) {
  const ConfidenceInterval all = Share{16, 16}.interval();  // 16 / (16 + z^2)
  EXPECT_NEAR(all.lo, 80.6392, 1e-3);
  EXPECT_EQ(all.hi, 100);
  const ConfidenceInterval most = Share{15, 16}.interval();
  EXPECT_NEAR(most.lo, 71.6713, 1e-3);
  EXPECT_NEAR(most.hi, 98.8881, 1e-3);
}

TEST(Share, IsSymmetricAndNarrowsWithTheCount) {
  const ConfidenceInterval few = Share{5, 10}.interval(), many = Share{500, 1000}.interval();
  EXPECT_NEAR(few.lo + few.hi, 100, 1e-9);
  EXPECT_NEAR(few.hi - few.lo, 52.6814, 1e-3);
  EXPECT_NEAR(many.hi - many.lo, 6.1861, 1e-3);
  EXPECT_EQ((Share{0, 3}.interval().lo), 0);
}

TEST(Share, ShowsItsIntervalWhereThereAreFew) {
  EXPECT_EQ(text(Share{15, 16}), "93.75 (71.67..98.89)");
  EXPECT_EQ(text(Share{997, 1000}), "99.70");
}

}  // namespace
}  // namespace intaglio
