#include "lib/graph/macs.h"

#include <gtest/gtest.h>

#include "tests/support/text_model.h"

namespace intaglio {
namespace {

std::optional<std::int64_t> macs(const std::string& graph) {
  return macs_of(*testing::TextModel(graph).typed().graph().nodes().back());
}

TEST(Macs, OfAConvAndOfAProduct) {
  EXPECT_EQ(macs("(float[1,3,8,8] x, float[4,3,3,3] w) => (y) { y = Conv(x, w) }"),
            4 * 6 * 6 * 3 * 3 * 3);
  EXPECT_EQ(macs("(float[2,5] x, float[5,7] w) => (y) { y = MatMul(x, w) }"), 2 * 5 * 7);
  // An axis that is not known counts once.
  EXPECT_EQ(macs("(float[N,5] x, float[5,7] w) => (y) { y = MatMul(x, w) }"), 5 * 7);
  EXPECT_EQ(macs("(float[2,5] x) => (y) { y = Relu(x) }"), 0);
}

TEST(Macs, BeyondAnyMemoryIsNotKnown) {
  const std::string long_axes = "float[4611686018427387904,4611686018427387904]";
  EXPECT_EQ(macs("(" + long_axes + " x, " + long_axes + " w) => (y) { y = MatMul(x, w) }"),
            std::nullopt);
  const Model model = testing::TextModel("(" + long_axes + " x) => (y) { y = Relu(x) }").model();
  EXPECT_EQ(elements_of(*model.graph().feeds().front()), std::nullopt);
}

}  // namespace
}  // namespace intaglio
