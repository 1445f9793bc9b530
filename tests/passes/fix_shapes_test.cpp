// Open lengths that get a number.
#include "lib/passes/fix_shapes.h"

#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

std::string dims_of(const Model& model, const std::string& value) {
  const Value* found = model.graph().find(value);
  return found != nullptr && found->dims() ? to_string(*found->dims()) : "?";
}

TextModel flattening() {
  return TextModel(
      "(float[N,2,H,3] x) => (float[N,K] y)"
      "<int64 zero = {0}, int64[1] rest = {-1}, int64[1] first = {0}>"
      "{ r = Relu(x) s = Shape(r) n = Gather(s, first) d = Concat<axis = 0>(n, rest)"
      " y = Reshape(r, d) }");
}

TEST(FixShapes, AnOpenBatchAndWhatIsComputedOfItBecomeConstants) {
  Model model = flattening().typed();
  const Tensor x = random_tensor({1, 2, 5, 3});
  const auto before = Executor(model.graph()).run({{x}});
  const auto fixed = fix_shapes(model, {.batch = 1, .shapes = {{"x", {1, 2, 5, 3}}}});
  ASSERT_EQ(fixed.size(), 1U);
  EXPECT_EQ(to_string(fixed[0].before), "[N,2,H,3]");
  EXPECT_EQ(to_string(fixed[0].after), "[1,2,5,3]");
  EXPECT_EQ(dims_of(model, "y"), "[1,30]");
  EXPECT_EQ(ops_of(model.graph()), "Relu Reshape") << "shape arithmetic is gone";
  EXPECT_TRUE(close(Executor(model.graph()).run({{x}}).front(), before.front(), 0));
}

TEST(FixShapes, OnlyWhatWasAskedForIsFixed) {
  Model model = flattening().typed();
  fix_shapes(model, {.batch = 4, .shapes = {}});
  EXPECT_EQ(dims_of(model, "x"), "[4,2,H,3]");
  EXPECT_EQ(dims_of(model, "r"), "[4,2,H,3]");
  EXPECT_TRUE(fix_shapes(model, {.batch = 2, .shapes = {}}).empty()) << "a known one stays";
}

TEST(FixShapes, AxesOfOneNameHaveOneLength) {
  Model model = TextModel().typed(
      "(float[B,S] ids, float[B,S] mask, float[B,M] more) => (float[B,S] y) { y = Add(ids, mask) "
      "}");
  fix_shapes(model, {.batch = 1, .shapes = {{"ids", {1, 128}}}});
  EXPECT_EQ(dims_of(model, "mask"), "[1,128]");
  EXPECT_EQ(dims_of(model, "more"), "[1,M]");
  EXPECT_EQ(dims_of(model, "y"), "[1,128]");
}

TEST(FixShapes, RefusesWhatTheModelDoesNotTake) {
  const Model model = TextModel().typed(
      "(float[N,3] x, float[N,S] u, float[M,S] v) => (float[N,3] y) { y = Relu(x) }");
  const auto refusal = [&](const ShapeRequest& request) {
    try {
      fixed_shapes(model.graph(), request);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::usage);
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto holds = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  holds(refusal({.batch = {}, .shapes = {{"z", {1}}}}), "no such input");
  holds(refusal({.batch = {}, .shapes = {{"x", {1, 3, 1}}}}), "has 3 lengths, the input [N,3]");
  holds(refusal({.batch = {}, .shapes = {{"x", {1, 4}}}}), "4 for axis 1 of [N,3]");
  holds(refusal({.batch = {}, .shapes = {{"u", {1, 5}}, {"v", {1, 6}}}}), "'S' is 5 elsewhere");
  EXPECT_EQ(refusal({.batch = 2, .shapes = {{"x", {2, 3}}}}), "accepted");
}

// Weights stay as they are stored: half-precision constants behind a Cast too.
TEST(FixShapes, StoredWeightsStay) {
  Model model = TextModel().typed(
      "(float[N,2] x) => (float[N,64] y) <int8[2,64] w = "
      "{1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
      "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
      "1,"
      "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
      "1,1,"
      "1,1,1,1,1,1,1,1,1,1,1,1}> { f = Cast<to = 1>(w) y = MatMul(x, f) }");
  fix_shapes(model, {.batch = 1, .shapes = {}});
  EXPECT_EQ(ops_of(model.graph()), "Cast MatMul");
}

}  // namespace
}  // namespace intaglio::testing
