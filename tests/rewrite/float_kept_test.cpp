// What a plan leaves float between two quantized operators is no prey of the runtime's rules.
#include "lib/rewrite/float_kept.h"

#include <gtest/gtest.h>

#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/qoperator.h"
#include "tests/rewrite/support.h"

namespace intaglio {
namespace {

using testing::count;
using testing::model_of;
using testing::onnxruntime_target;
using testing::plan_of;

const std::string weights =
    "<float[2,2,1,1] w = {1,-2,3,4}, float[2,2,1,1] u = {1,2,-1,40}, float[2] b = {0.5,-0.5}> ";

Model model_with(const std::string& middle) {
  return model_of("(float[1,2,3,3] x) => (float[1,2,3,3] y)" + weights + "{ c = Conv(x, w, b) " +
                  middle + " d = Conv(m, w, b) e = Relu(d) f = Add(e, e) y = Conv(f, w) }");
}

// The operators that would compute on codes at the runtime's default.
std::multiset<std::string> on_codes(const Model& model) {
  Model copy = model.clone();
  std::multiset<std::string> ops;
  for (const IntegerDecision& d : fuse_integers(copy).nodes)
    if (d.integer()) ops.insert(d.op);
  return ops;
}

// Of these nodes, by name.
Selection without(std::vector<std::string> nodes) {
  Selection selection;
  selection.exclude = std::move(nodes);
  return selection;
}

struct Case {
  std::string op, middle;
};

class KeptFloat : public ::testing::TestWithParam<Case> {};

TEST_P(KeptFloat, AMaxStandsBeforeIt) {
  const Selection selection = without({"m"});
  Model free = model_with(GetParam().middle), kept = free.clone();
  const Plan plan = plan_of(free, onnxruntime_target(), selection);
  write_qdq(free, plan);
  const std::size_t taken = on_codes(free).count(GetParam().op);
  write_qdq(kept, plan, {.floats_kept = true});
  EXPECT_EQ(count(kept, "Max"), 1);
  EXPECT_EQ(on_codes(kept).count(GetParam().op) + 1, taken);
  const Tensor x = testing::random_tensor({1, 2, 3, 3}, 3, -0.5f, 0.5f);
  EXPECT_TRUE(testing::close(Executor(kept.graph()).run({{x}}).front(),
                             Executor(free.graph()).run({{x}}).front(), 0, 0));
}

INSTANTIATE_TEST_SUITE_P(
    Operators, KeptFloat,
    ::testing::Values(Case{"Conv", "m = Conv(c, u, b)"}, Case{"Conv", "m = Conv(c, u)"},
                      Case{"Add", "m = Add(c, c)"}, Case{"Mul", "m = Mul(c, c)"},
                      Case{"Sigmoid", "m = Sigmoid(c)"}, Case{"Softmax", "m = Softmax(c)"}),
    [](const auto& tested) { return tested.param.op + std::to_string(tested.index); });

TEST(KeptFloats, OperatorsOnCodesKeepTheirFloatsToo) {
  Model model = model_with("m = Add(c, c)");
  const Plan plan = plan_of(model, onnxruntime_target(), without({"m"}));
  write_qoperator(model, plan, /*microsoft_operators=*/true, /*floats_kept=*/true);
  EXPECT_EQ(count(model, "QLinearAdd"), 1);
  EXPECT_EQ(count(model, "Add"), 1);
}

TEST(KeptFloats, APoolThatTheRuntimeCouldNotLoadIsKeptToo) {
  Model model =
      model_of("(float[1,2,5,5] x) => (float[] y)" + weights +
                   "{ c = Conv(x, w, b) m = AveragePool<kernel_shape = [2, 2], dilations = "
                   "[2, 2]>(c) d = Conv(m, w, b) e = Relu(d) f = Add(e, e) y = Conv(f, w) }",
               19);
  write_qdq(model, plan_of(model), {.floats_kept = true});
  EXPECT_EQ(count(model, "Max"), 1);
}

TEST(KeptFloats, MoversAndWhatIsFloatAnywayGetNothing) {
  for (const char* middle :
       {"m = MaxPool<kernel_shape = [1, 1]>(c)", "m = Erf(c)", "m = Tanh(c)"}) {
    Model model = model_with(middle);
    write_qdq(model, plan_of(model, onnxruntime_target(), without({"m"})), {.floats_kept = true});
    EXPECT_EQ(count(model, "Max"), 0) << middle;
  }
}

// A MatMul becomes a Gemm with the Add behind it, before the runtime looks for float weights.
TEST(KeptFloats, AMatMulWithItsBiasIsKeptToo) {
  Model model = model_of(
      "(float[1,2] x) => (float[1,2] z) <float[2,2] w = {1,-2,3,4}, float[2,2] v = {1,-2,3,4}, "
      "float[2] b = {1,2}> { a = Add(x, x) p = MatMul(a, w) m = MatMul(a, v) n = Add(m, b) c = "
      "MatMul(n, "
      "w) y = Add(p, c) z = Relu(y) }");
  write_qdq(model, plan_of(model, onnxruntime_target(), without({"m", "n"})),
            {.floats_kept = true});
  EXPECT_EQ(count(model, "Max"), 1);
}

}  // namespace
}  // namespace intaglio
