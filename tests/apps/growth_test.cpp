// A result that is larger than its source says so, and why.
#include "apps/growth.h"

#include <gtest/gtest.h>

#include "lib/io/save.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

Model with_weights(const std::string& shape, int copies) {
  std::string inputs = "float[1,64] x", body, last = "x";
  for (int i = 0; i < copies; ++i) {
    const std::string n = std::to_string(i);
    inputs += ", float" + shape + " w" + n;
    body += "y" + n + " = MatMul(" + last + ", w" + n + ") ";
    last = "y" + n;
  }
  return random_model("(" + inputs + ") => (float[1,64] y) { " + body + "y = Identity(" + last +
                      ") }");
}

TEST(Growth, SmallerResultsNeedNoWord) {
  const Model before = with_weights("[64,64]", 2), after = with_weights("[64,64]", 1);
  EXPECT_EQ(growth_warning(before, size_of(before), after), "");
  EXPECT_EQ(growth_warning(before, size_of(before), before), "") << "nor do equal ones";
}

TEST(Growth, WeightsThatAreStoredOnceMoreAreTheCause) {
  const Model before = with_weights("[64,64]", 1), after = with_weights("[64,64]", 2);
  EXPECT_NE(growth_warning(before, size_of(before), after).find("once more"), std::string::npos);
}

TEST(Growth, NodesAroundFewWeightsAreTheCause) {
  const Model before = with_weights("[64,64]", 1);
  const std::string warning = growth_warning(before, size_of(before) - 100, before);
  EXPECT_NE(warning.find("nodes and scales"), std::string::npos) << warning;
}

TEST(Growth, WeightsBesideTheModelCount) {
  const Model before = with_weights("[64,64]", 2), after = with_weights("[64,64]", 1);
  EXPECT_EQ(growth_warning(before, 500, after), "") << "a file of 500 bytes holds no such weights";
}

}  // namespace
}  // namespace intaglio::testing
