// Operators on codes as Q/DQ pairs: there and back.
#include "lib/rewrite/expand.h"

#include <gtest/gtest.h>

#include "lib/exec/infer.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/qoperator.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

const std::string constants =
    "<float[2,2,1,1] w = {0.1,-0.2,0.3,0.4}, float[2] b = {0.5,-0.5}, float[2,3] m = "
    "{1,-0.5,0.25,0.5,0.1,-1},"
    " float[3] k = {0.5,0.1,-0.5}> ";

TEST(Expand, GivesBackWhatTheQOperatorWriterTook) {
  for (const char* body :
       {"(float[1,2,3,3] x) => (float[1,2,3,3] y)|{ y = Conv(x, w, b) }",
        "(float[1,2,3,3] x) => (float[1,2,3,3] y)|{ c = Conv(x, w, b) y = Add(c, x) }",
        "(float[1,2,3,3] x) => (float[1,2,3,3] y)|{ s = Sigmoid(x) y = Mul(s, x) }",
        "(float[1,2,3,3] x) => (float[1,4,3,3] y)|{ c = Conv(x, w, b) y = Concat <axis = 1> (c, x) "
        "}",
        "(float[1,2,3,3] x) => (float[1,2,1,1] y)|{ l = LeakyRelu(x) y = GlobalAveragePool(l) }",
        "(float[4,2] x) => (float[4,3] y)|{ c = Gemm(x, m, k) y = Add(c, c) }",
        "(float[4,2] x) => (float[4,3] y)|{ c = MatMul(x, m) y = Add(c, c) }",
        "(float[4,2] x) => (float[4,3] y)|{ y = Gemm(x, m, k) }"}) {
    std::string text = body;
    text.replace(text.find('|'), 1, constants);
    Model model = model_of(text), pairs = model_of(text);
    const Plan plan = plan_of(model, qoperator_target(onnxruntime_target()));
    write_qoperator(model, plan, true);
    write_qdq(pairs, plan);
    EXPECT_GT(expand_integer_operators(model), 0) << text;
    infer_types(model);
    Shape shape;
    for (const Dim& d : *model.graph().inputs().front()->dims()) shape.push_back(d.value);
    const Tensor x = random_tensor(shape, 3, -3, 3);
    EXPECT_TRUE(close(Executor(model.graph()).run({{x}}).front(),
                      Executor(pairs.graph()).run({{x}}).front(), 0, 1e-5))
        << text << ops_of(model);
    for (const Node* node : model.graph().nodes())
      EXPECT_FALSE(is_integer_operator(*node)) << node->label();
  }
}

TEST(Expand, LeavesTheRestAlone) {
  Model model = model_of("(float[4] x) => (float[4] y) { y = Relu(x) }");
  EXPECT_EQ(expand_integer_operators(model), 0);
  EXPECT_EQ(ops_of(model), "Relu");
}

}  // namespace
}  // namespace intaglio::testing
