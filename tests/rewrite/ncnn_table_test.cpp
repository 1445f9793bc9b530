// The table for ncnn2int8.
#include "lib/rewrite/ncnn_table.h"

#include <gtest/gtest.h>

#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

TEST(NcnnTable, WeightsThenInputsAsFactors) {
  Model model = model_of(
      "(float[1,2,3,3] x) => (float[1,2,3,3] y)"
      "<float[2,2,1,1] w = {1,-2,0.5,4}> { c = Conv(x, w) y = Sigmoid(c) }");
  const Target target = read_target(source_dir() / "configs" / "ncnn.json");
  EXPECT_EQ(ncnn_table(plan_of(model, target), model.graph()), "c_param_0 63.5 31.75\nc 31.75\n");
}

}  // namespace
}  // namespace intaglio::testing
