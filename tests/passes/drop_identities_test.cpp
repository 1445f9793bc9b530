#include "lib/exec/infer.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(IdentitiesDropped, BetweenNodes) {
  const Model model =
      same_after({"constants_folded", "identities_dropped"}, R"((float[2,3] x) => (float[2,3] y) {
      a = Relu(x)
      b = Identity(a)
      c, mask = Dropout(b)
      d = Cast <to = 1> (c)
      e = Transpose <perm = [0, 1]> (d)
      shape = Constant <value_ints = [0, -1]> ()
      f = Reshape(e, shape)
      g = Flatten(f)
      pads = Constant <value_ints = [0, 0, 0, 0]> ()
      h = Pad(g, pads)
      i = Concat <axis = 0> (h)
      j = Max(i)
      y = Neg(j)
    })",
                 {random_tensor({2, 3})});
  EXPECT_EQ(ops_of(model.graph()), "Relu Neg");
}

TEST(IdentitiesDropped, GraphOutputsKeepTheirNames) {
  const Model model =
      same_after({"identities_dropped"}, R"((float[2] x) => (float[2] y, float[2] z) {
      a = Relu(x)
      y = Identity(a)
      z = Neg(a)
    })",
                 {random_tensor({2})});
  EXPECT_EQ(ops_of(model.graph()), "Relu Neg");
  EXPECT_EQ(model.graph().outputs()[0]->name(), "y");
  EXPECT_EQ(model.graph().find("a"), nullptr);
}

TEST(IdentitiesDropped, KeepsWhatGivesAnOutputItsName) {
  Model model = TextModel().typed(R"((float[2] x) => (float[2] y, float[2] a, float[2] b) {
      y = Identity(x)
      a = Relu(x)
      b = Identity(a)
    })");
  EXPECT_EQ(run_pass("identities_dropped", model), 0);
}

TEST(IdentitiesDropped, KeepsWhatDoesSomething) {
  Model model = TextModel().model(
      R"((float[2,3] x, float[N,3] n, int64[2] t) => (float[2,3] y, bool[2,3] mask, float[A,B] u) {
      a = Transpose(x)
      b = Cast <to = 11> (a)
      shape = Constant <value_ints = [2, 3]> ()
      c = Reshape(b, shape)
      d = Cast <to = 1> (c)
      e, mask = Dropout(d)
      y = Relu(e)
      r = Reshape(n, shape)
      s = Reshape(r, t)
      u = Flatten <axis = 0> (s)
    })");
  run_pass("constants_folded", model);
  infer_types(model);
  EXPECT_EQ(run_pass("identities_dropped", model), 0);
}

TEST(IdentitiesDropped, InNestedGraphsOnlyWhereTheGraphOutputStays) {
  Model model = TextModel().typed(R"((bool c, float[2] x) => (float[2] y) {
      i = Identity(x)
      y = If (c) <
        then_branch = a () => (float[2] p) { k = Identity(i) p = Neg(k) },
        else_branch = b () => (float[2] q) { q = Identity(i) }>
    })");
  EXPECT_EQ(run_pass("identities_dropped", model), 2);
  const Node& node = *find_op(model.graph(), "If");
  EXPECT_EQ(ops_of(node.attr_graph("then_branch")), "Neg");
  EXPECT_EQ(ops_of(node.attr_graph("else_branch")), "Identity");
  EXPECT_EQ(ops_of(model.graph()), "If");
}

}  // namespace
}  // namespace intaglio::testing
