// One group of 64 outputs: parameters, codes and back.
#include "lib/quant/groups.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace intaglio::testing {
namespace {

Scheme scheme_of(DType type) {
  return {type, type == DType::s8 || type == DType::s4 || type == DType::s2, false, 0, 32};
}

std::vector<PanelRow> random_rows(std::size_t rows, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<PanelRow> w(rows);
  for (PanelRow& row : w)
    for (float& x : row) x = normal(random);
  return w;
}

double error_of(const std::vector<PanelRow>& w, const GroupParams& params, const GroupGrid& grid,
                std::size_t output, const std::vector<float>& importance = {}) {
  std::vector<PanelCodes> codes(w.size());
  std::vector<PanelRow> made(w.size());
  encode(w, params, grid, codes);
  decode(codes, params, made);
  double sum = 0;
  for (std::size_t k = 0; k < w.size(); ++k)
    sum += std::pow(made[k][output] - w[k][output], 2) * (importance.empty() ? 1 : importance[k]);
  return sum;
}

TEST(Groups, GridsOfTypes) {
  const GroupGrid u4 = group_grid(scheme_of(DType::u4)), s4 = group_grid(scheme_of(DType::s4)),
                  u2 = group_grid(scheme_of(DType::u2)), s8 = group_grid(scheme_of(DType::s8));
  EXPECT_EQ(u4.steps, 15);
  EXPECT_TRUE(u4.chooses);
  EXPECT_EQ(s4.zero, 8);
  EXPECT_EQ(s4.lowest, -8);
  EXPECT_FALSE(s4.chooses);
  EXPECT_EQ(u2.steps, 3);
  EXPECT_EQ(s8.lowest, -128);
  EXPECT_THROW(group_grid(scheme_of(DType::u16)), Error);
}

TEST(Groups, CoverIsTheFormula) {
  std::vector<PanelRow> w(2);
  w[0].fill(-1), w[1].fill(2);
  const GroupParams u4 = cover(group_range(w), group_grid(scheme_of(DType::u4)));
  EXPECT_FLOAT_EQ(u4.scale[7], 0.2F);
  EXPECT_EQ(u4.zero[7], 5);
  const GroupParams s4 = cover(group_range(w), group_grid(scheme_of(DType::s4)));
  EXPECT_FLOAT_EQ(s4.scale[0], 2.0F / 7) << "the upper half has one code less";
  EXPECT_EQ(s4.zero[0], 8);
}

TEST(Groups, ZeroIsExact) {
  std::vector<PanelRow> w(3);
  w[0].fill(0.7F), w[1].fill(0), w[2].fill(1.9F);
  for (const DType type : {DType::u4, DType::s4, DType::u2, DType::s2, DType::u8, DType::s8}) {
    const GroupGrid grid = group_grid(scheme_of(type));
    for (const GroupParams& params : {cover(group_range(w), grid), search_params(w, {}, grid)}) {
      std::vector<PanelCodes> codes(3);
      std::vector<PanelRow> made(3);
      encode(w, params, grid, codes);
      decode(codes, params, made);
      EXPECT_EQ(made[1][13], 0) << name_of(type);
    }
  }
}

TEST(Groups, OfZerosHaveASmallScale) {
  const std::vector<PanelRow> w(32, PanelRow{});
  for (const DType type : {DType::u4, DType::s4}) {
    const GroupGrid grid = group_grid(scheme_of(type));
    EXPECT_EQ(cover(group_range(w), grid).scale[0], 0x1p-24F);
    EXPECT_EQ(search_params(w, {}, grid).scale[63], 0x1p-24F);
    EXPECT_EQ(error_of(w, search_params(w, {}, grid), grid, 5), 0);
  }
}

TEST(Groups, SearchIsNeverWorseThanTheRange) {
  for (const DType type : {DType::u4, DType::s4, DType::u2, DType::s2}) {
    const GroupGrid grid = group_grid(scheme_of(type));
    const auto w = random_rows(32, 3);
    const GroupParams whole = cover(group_range(w), grid), found = search_params(w, {}, grid);
    double before = 0, after = 0;
    for (std::size_t j = 0; j < panel_width; ++j) {
      EXPECT_LE(error_of(w, found, grid, j), error_of(w, whole, grid, j) * 1.0001) << j;
      before += error_of(w, whole, grid, j), after += error_of(w, found, grid, j);
    }
    EXPECT_LT(after, before * 0.95) << name_of(type);
  }
}

TEST(Groups, SearchWeighsInputs) {
  const GroupGrid grid = group_grid(scheme_of(DType::u2));
  const auto w = random_rows(32, 4);
  std::vector<float> importance(32, 0.01F);
  importance[3] = 100, importance[17] = 100;
  const GroupParams plain = search_params(w, {}, grid),
                    weighed = search_params(w, importance, grid);
  double without = 0, with = 0;
  for (std::size_t j = 0; j < panel_width; ++j) {
    without += error_of(w, plain, grid, j, importance);
    with += error_of(w, weighed, grid, j, importance);
  }
  EXPECT_LT(with, without * 0.5);
}

TEST(Groups, LargeAndTinyWeightsKeepWithinCodes) {
  std::vector<PanelRow> w(32);
  for (std::size_t k = 0; k < w.size(); ++k) w[k].fill(k == 5 ? 3e38F : 1e-30F);
  const GroupGrid grid = group_grid(scheme_of(DType::u4));
  std::vector<PanelCodes> codes(32);
  encode(w, cover(group_range(w), grid), grid, codes);
  EXPECT_EQ(codes[5][0], 15);
  EXPECT_EQ(codes[6][0], 0);
}

TEST(Groups, FindsWhatIsNotFinite) {
  auto w = random_rows(5, 1);
  EXPECT_TRUE(all_finite(w));
  w[4][63] = std::nanf("");
  EXPECT_FALSE(all_finite(w));
  w[4][63] = -INFINITY;
  EXPECT_FALSE(all_finite(w));
}

}  // namespace
}  // namespace intaglio::testing
