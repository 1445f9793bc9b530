#include <gtest/gtest.h>

#include "lib/passes/list.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

int expanded(const std::string& equation, const Shape& a, const Shape& b,
             const std::string& shapes) {
  Model model = TextModel().typed("(" + shapes + ") => (float[] y) { y = Einsum<equation = \"" +
                                  equation + "\">(a, b) }");
  const std::vector<Tensor> feeds = {random_tensor(a, 1), random_tensor(b, 2)};
  const Tensor before = Executor(model.graph()).run(feeds).front();
  const int rewrites = expand_einsum(model, {});
  EXPECT_TRUE(close(Executor(model.graph()).run(feeds).front(), before, 1e-5, 1e-5)) << equation;
  EXPECT_EQ(ops_of(model.graph()).find("Einsum") == std::string::npos, rewrites > 0);
  return rewrites;
}

TEST(EinsumExpanded, ProductsOfAttention) {
  EXPECT_EQ(
      expanded("bqhd,bkhd->bhqk", {2, 3, 4, 5}, {2, 6, 4, 5}, "float[2,3,4,5] a, float[2,6,4,5] b"),
      1);
  EXPECT_EQ(expanded("bhqk, bkhd -> bqhd", {2, 4, 3, 6}, {2, 6, 4, 5},
                     "float[B,4,3,T] a, float[B,T,4,5] b"),
            1);
  EXPECT_EQ(expanded("ij,jk->ik", {2, 3}, {3, 4}, "float[2,3] a, float[3,4] b"), 1);
  EXPECT_EQ(expanded("ij,kj->ki", {2, 3}, {4, 3}, "float[2,3] a, float[4,3] b"), 1);
}

TEST(EinsumExpanded, ProjectionsOfHeads) {
  EXPECT_EQ(expanded("bsd,dhk->bshk", {2, 3, 4}, {4, 2, 5}, "float[N,S,4] a, float[4,2,5] b"), 1);
  EXPECT_EQ(expanded("bshk,hkd->bsd", {2, 3, 2, 5}, {2, 5, 4}, "float[N,S,2,5] a, float[2,5,4] b"),
            1);
  EXPECT_EQ(expanded("bsd,dhk->bhsk", {2, 3, 4}, {4, 2, 5}, "float[2,3,4] a, float[4,2,5] b"), 1);
  EXPECT_EQ(expanded("bsd,df->bsf", {2, 3, 4}, {4, 6}, "float[N,S,4] a, float[4,6] b"), 1);
}

TEST(EinsumExpanded, OthersStay) {
  EXPECT_EQ(expanded("ij,kl->ijkl", {2, 3}, {2, 2}, "float[2,3] a, float[2,2] b"), 0) << "no sum";
  EXPECT_EQ(expanded("ij,jk->i", {2, 3}, {3, 4}, "float[2,3] a, float[3,4] b"), 0)
      << "a sum over one factor";
  EXPECT_EQ(expanded("bij,bkj->b", {2, 3, 4}, {2, 3, 4}, "float[2,3,4] a, float[2,3,4] b"), 0);
  EXPECT_EQ(expanded("...ij,...jk->...ik", {2, 3, 4}, {2, 4, 5}, "float[2,3,4] a, float[2,4,5] b"),
            0);
}

}  // namespace
}  // namespace intaglio::testing
