#include "lib/base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace intaglio {
namespace {

constexpr std::array<std::string_view, 4> methods = {"minmax", "percentile", "mse", "entropy"};

TEST(Nearest, SuggestsWhatWasMeant) {
  EXPECT_EQ(nearest("entrpoy", methods), "entropy");
  EXPECT_EQ(nearest("percentil", methods), "percentile");
  EXPECT_EQ(nearest("mes", methods), "");
  EXPECT_EQ(nearest("kl", methods), "");
  EXPECT_EQ(suggestion("min-max", methods),
            "Did you mean 'minmax'? Known: minmax, percentile, mse, entropy.");
  EXPECT_EQ(suggestion("kl", methods), "Known: minmax, percentile, mse, entropy.");
}

}  // namespace
}  // namespace intaglio
