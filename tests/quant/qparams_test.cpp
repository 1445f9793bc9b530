// choose_qparams against golden vectors: the figures of onnxruntime 1.31's compute_scale_zp, run on
// the same ranges, and what it leaves undefined.
#include "lib/quant/qparams.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>

namespace intaglio {
namespace {

struct Golden {
  float lo, hi;
  Scheme scheme;
  double scale;
  int zero_point;
  double min_range = 0;
};

const Scheme u8{DType::u8, false, false, {}}, s8{DType::s8, false, false, {}};
const Scheme u8_symmetric{DType::u8, true, false, {}}, s8_symmetric{DType::s8, true, false, {}};
const Scheme u8_reduced{DType::u8, false, true, {}},
    s8_symmetric_reduced{DType::s8, true, true, {}};
const Scheme u16{DType::u16, false, false, {}};

class GoldenQParams : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenQParams, AgreeWithOnnxruntime) {
  const Golden& g = GetParam();
  const Range range{g.lo, g.hi};
  const QParams p = choose_qparams(std::span(&range, 1), g.scheme, g.min_range);
  EXPECT_NEAR(p.scale.front(), g.scale, 1e-8 * std::abs(g.scale) + 1e-9 * g.scale);
  EXPECT_EQ(p.zero_point.front(), g.zero_point);
}

INSTANTIATE_TEST_SUITE_P(
    Vectors, GoldenQParams,
    ::testing::Values(Golden{-1, 2, u8, 3.0f / 255, 85}, Golden{-1, 2, s8, 3.0f / 255, -43},
                      Golden{-1, 2, s8_symmetric, 2.0f / 127, 0},
                      Golden{-1, 2, u8_symmetric, 4.0f / 255, 128},
                      Golden{-1, 2, s8_symmetric_reduced, 0.03125, 0},
                      Golden{-1, 2, u8_reduced, 3.0f / 127, 42}, Golden{0.5, 6, u8, 6.0f / 255, 0},
                      Golden{0.5, 6, s8, 6.0f / 255, -128}, Golden{-3, -1, u8, 3.0f / 255, 255},
                      Golden{0, 0, u8, 1, 0}, Golden{0, 0, s8, 1, 0},
                      Golden{0, 0, s8_symmetric, 1, 0}, Golden{0, 0, s8, 1e-4f / 255, -128, 1e-4},
                      Golden{-1, 2, u16, 3.0f / 65535, 21845}, Golden{-1, 1, u8, 2.0f / 255, 128},
                      Golden{-0.7f, 0.3f, s8, 1.0f / 255, 50}));

// Symmetric codes lie one lower, other zero points step aside, and the range stays covered.
TEST(QParams, OffCentreNoZeroPointIsThatOfSymmetricCodes) {
  const auto off = [](Scheme scheme) {
    scheme.off_centre = true;
    return scheme;
  };
  const auto chosen = [&](const Scheme& scheme, Range range) {
    const QParams p = choose_qparams(std::span(&range, 1), off(scheme));
    const Range covered = representable(p, off(scheme));
    EXPECT_LE(covered.lo, range.lo + 1e-6) << to_string(scheme);
    EXPECT_GE(covered.hi, range.hi - 2 * p.scale.front()) << to_string(scheme);
    return p.zero_point.front();
  };
  EXPECT_EQ(chosen(s8_symmetric, {-1, 1}), -1);
  EXPECT_EQ(levels_of(off(s8_symmetric)), (Levels{-128, 126}));
  EXPECT_EQ(levels_of(off(s8_symmetric_reduced)), (Levels{-65, 63}));
  EXPECT_EQ(chosen(u8_symmetric, {-1, 1}), 127);
  EXPECT_EQ(chosen(s8, {-1, 0.9921875f}), -1) << "would be 0";
  EXPECT_EQ(chosen(u8, {-1, 1}), 127);
  EXPECT_EQ(chosen(s8, {0, 1}), -128);
  EXPECT_EQ(chosen(s8, {-1, 2}), -43) << "as it would be anyway";
  const Range dead{0, 0};
  EXPECT_EQ(choose_qparams(std::span(&dead, 1), off(s8_symmetric)).zero_point.front(), -1);
  QParams p = choose_qparams(std::span(&dead, 1), off(s8));
  enlarge_scale(p, off(s8), {-1, 1}, 0.0078125f);
  EXPECT_NE(p.zero_point.front(), 0);
}

TEST(QParams, ZeroIsExactlyRepresentableForAnyRange) {
  for (const Scheme& scheme :
       {u8, s8, u8_symmetric, s8_symmetric, u8_reduced, s8_symmetric_reduced, u16}) {
    for (const Range range :
         {Range{-1, 2}, {3, 4}, {-9, -8}, {-1e-30f, 1e-30f}, {-FLT_MAX, FLT_MAX}, {0, 1e-3f}}) {
      const QParams p = choose_qparams(std::span(&range, 1), scheme);
      const Levels levels = levels_of(scheme);
      EXPECT_GE(p.zero_point.front(), levels.lo)
          << range.lo << ".." << range.hi << " " << to_string(scheme);
      EXPECT_LE(p.zero_point.front(), levels.hi)
          << range.lo << ".." << range.hi << " " << to_string(scheme);
      EXPECT_TRUE(std::isnormal(p.scale.front()));
    }
  }
}

TEST(QParams, ARangeWhoseScaleWouldBeSubnormalIsDead) {
  const Range tiny{-1e-37f, 1e-37f};
  const QParams p = choose_qparams(std::span(&tiny, 1), u8);
  EXPECT_EQ(p.scale.front(), 1);
  EXPECT_EQ(p.zero_point.front(), 0);
}

TEST(QParams, OneEntryPerChannel) {
  Scheme scheme = s8_symmetric;
  scheme.axis = 0;
  const std::vector<Range> ranges = {{-1, 1}, {0, 0}, {-2, 4}};
  const QParams p = choose_qparams(ranges, scheme);
  EXPECT_EQ(p.scale, (std::vector<float>{1.0f / 127, 1, 4.0f / 127}));
  EXPECT_EQ(p.zero_point, (std::vector<std::int32_t>{0, 0, 0}));
}

TEST(QParams, RefusesWhatIsNoRange) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  for (const Range range : {Range{nan, 1}, {0, nan}, {-inf, 1}, {0, inf}, {2, 1}})
    EXPECT_THROW(choose_qparams(std::span(&range, 1), u8), Error) << range.lo << ".." << range.hi;
}

TEST(Levels, FollowTheTable) {
  EXPECT_EQ(levels_of(u8), (Levels{0, 255}));
  EXPECT_EQ(levels_of(s8), (Levels{-128, 127}));
  EXPECT_EQ(levels_of(s8_symmetric), (Levels{-127, 127}));
  EXPECT_EQ(levels_of(u8_reduced), (Levels{0, 127}));
  EXPECT_EQ(levels_of(s8_symmetric_reduced), (Levels{-64, 64}));
  EXPECT_EQ(levels_of(Scheme{DType::s16, true, false, {}}), (Levels{-32767, 32767}));
  EXPECT_THROW(levels_of(Scheme{DType::f32, true, false, {}}), Error);
}

}  // namespace
}  // namespace intaglio
