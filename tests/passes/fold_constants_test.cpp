#include "lib/exec/infer.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(ConstantsFolded, ConstantsAndWhatFollowsFromThem) {
  const Model model = same_after({"constants_folded"}, R"((float[2] x) => (float[2] y) {
      a = Constant <value = float[2] {1, 2}> ()
      b = Constant <value_float = 3.0> ()
      c = Mul(a, b)
      y = Add(x, c)
    })",
                                 {Tensor::of<float>({2}, {1, 1})});
  EXPECT_EQ(ops_of(model.graph()), "Add");
  EXPECT_EQ(model.graph().find("c")->constant().to_vector<float>(), (std::vector<float>{3, 6}));
}

TEST(ConstantsFolded, ShapesThatAreKnown) {
  const Model model =
      same_after({"constants_folded"},
                 TextModel().opset(15).graph(
                     R"((float[2,3,N] x, float[2,3] z) => (float[P,Q,R] y, int64[D] u, int64 v) {
      s = Shape <start = -2> (z)
      n = Size(z)
      v = Neg(n)
      t = Shape(x)
      y = Reshape(x, t)
      u = Neg(s)
    })"),
                 {random_tensor({2, 3, 5}), random_tensor({2, 3})});
  EXPECT_EQ(ops_of(model.graph()), "Neg Shape Reshape Neg");
  EXPECT_EQ(model.graph().find("s")->constant().to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(model.graph().find("n")->constant().item<std::int64_t>(), 6);
}

TEST(ConstantsFolded, AWeightThatEachLayerTransposesStaysOne) {
  const Model model = same_after({"constants_folded"}, R"((float[1,2] x) => (float[1,2] y)
      <float[2,2] w = {1, 2, 3, 4}, float[2,2] v = {1, 2, 3, 5}> {
      a = Transpose <perm = [1, 0]> (w)
      b = MatMul(x, a)
      c = Transpose <perm = [1, 0]> (w)
      d = MatMul(b, c)
      e = Transpose <perm = [1, 0]> (v)
      y = MatMul(d, e)
    })",
                                 {Tensor::of<float>({1, 2}, {1, -1})});
  EXPECT_EQ(ops_of(model.graph()), "MatMul MatMul MatMul");
  EXPECT_EQ(model.graph().find("d")->producer()->input(1)->name(), "a");
  EXPECT_EQ(model.graph().find("c"), nullptr);
  EXPECT_EQ(model.graph().find("y")->producer()->input(1)->name(), "e");
}

TEST(ConstantsFolded, ConstantsThatWereWrittenOutTwiceStayTwo) {
  const Model model = same_after({"constants_folded"}, R"((float[1,2] x) => (float[1,2] y) {
      a = Constant <value = float[1,2] {1, 2}> ()
      b = Constant <value = float[1,2] {1, 2}> ()
      c = Add(x, a)
      y = Add(c, b)
    })",
                                 {Tensor::of<float>({1, 2}, {1, -1})});
  EXPECT_NE(model.graph().find("a"), nullptr);
  EXPECT_NE(model.graph().find("b"), nullptr);
}

TEST(ConstantsFolded, KeepsWhatMustStay) {
  Model model = TextModel().typed(
      R"((float[2] x) => (float[2] y, float[2] out, float[M] big, float[2] r, string[1] text) {
      out = Constant <value = float[2] {1, 2}> ()
      q = Constant <value = int8[2] {1, 2}> ()
      s = Constant <value_float = 0.5> ()
      w = DequantizeLinear(q, s)
      y = Add(x, w)
      n = Constant <value_ints = [20000]> ()
      wide = ConstantOfShape(n)
      big = Neg(wide)
      random = RandomNormal <shape = [2]> ()
      r = Add(x, random)
      t = Constant <value_strings = ["a"]> ()
      text = Identity(t)
    })");
  EXPECT_EQ(run_pass("constants_folded", model), 3);
  EXPECT_EQ(run_pass("constants_folded", model), 0);
  EXPECT_EQ(ops_of(model.graph()),
            "Constant DequantizeLinear Add ConstantOfShape Neg RandomNormal Add Constant Identity");
}

TEST(ConstantsFolded, NestedGraphs) {
  Model model = TextModel().typed(R"((bool c, float[2] x) => (float[2] y) {
      one = Constant <value = float[1] {1}> ()
      y = If (c) <
        then_branch = a () => (float[2] p) { two = Add(one, one) p = Mul(x, two) },
        else_branch = b () => (float[2] q) { q = Identity(x) }>
    })");
  EXPECT_EQ(run_pass("constants_folded", model), 2);
  const Graph& branch = find_op(model.graph(), "If")->attr_graph("then_branch");
  EXPECT_EQ(ops_of(branch), "Mul");
  EXPECT_EQ(branch.find("two")->constant().to_vector<float>(), std::vector<float>{2});
}

TEST(ConstantsFolded, ErrorsAreLeftToTheRun) {
  Model model = TextModel().model(R"((float[2] x) => (float[2] y) {
      a = Constant <value = float[2] {1, 2}> ()
      b = Constant <value = float[3] {1, 2, 3}> ()
      bad = Add(a, b)
      y = Relu(x)
    })");
  EXPECT_EQ(run_pass("constants_folded", model), 2);
  EXPECT_EQ(ops_of(model.graph()), "Add Relu");
}

}  // namespace
}  // namespace intaglio::testing
