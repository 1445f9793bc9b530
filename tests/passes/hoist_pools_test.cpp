#include "lib/exec/infer.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

const PrepareOptions wanted = {.lone_activations = {"LeakyRelu", "Sigmoid", "Elu", "HardSwish"}};

Model parsed(const std::string& nodes, const std::string& outputs = "float[N,2,2,2] y") {
  return TextModel().input("float[N,2,4,4] x").output(outputs).nodes(nodes).typed();
}

constexpr const char* pool = " y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (a)";

TEST(PoolsFirst, ComputeTheSameToTheBit) {
  const std::vector<Tensor> x = {random_tensor({3, 2, 4, 4})};
  for (const char* op : {"LeakyRelu(x)", "LeakyRelu <alpha = 0.3> (x)", "Sigmoid(x)", "Elu(x)"}) {
    Model model = parsed(std::string("a = ") + op + pool);
    const auto before = Executor(model.graph()).run(x);
    EXPECT_EQ(run_pass("pools_first", model, wanted), 1) << op;
    EXPECT_EQ(run_pass("pools_first", model, wanted), 0) << op;
    EXPECT_TRUE(ops_of(model.graph()).starts_with("MaxPool ")) << ops_of(model.graph());
    EXPECT_EQ(model.graph().find("a"), nullptr) << "nothing makes it any more";
    EXPECT_TRUE(close(Executor(model.graph()).run(x).front(), before.front(), 0));
  }
}

TEST(PoolsFirst, PassChainsOfActivations) {
  Model model = parsed(std::string("b = LeakyRelu(x) a = Sigmoid(b)") + pool);
  EXPECT_EQ(run_pass("pools_first", model, wanted), 1);
  EXPECT_EQ(run_pass("pools_first", model, wanted), 1);
  EXPECT_EQ(ops_of(model.graph()), "MaxPool LeakyRelu Sigmoid");
}

TEST(PoolsFirst, KeepTheirPlaceWhereTheOrderMatters) {
  const auto rewrites = [](const std::string& nodes,
                           const std::string& outputs = "float[N,2,2,2] y") {
    Model model = parsed(nodes, outputs);
    return run_pass("pools_first", model, wanted);
  };
  EXPECT_EQ(rewrites(std::string("a = Relu(x)") + pool), 0) << "runs as a part of its producer";
  EXPECT_EQ(rewrites(std::string("a = HardSwish(x)") + pool), 0) << "falls below -1.5";
  EXPECT_EQ(rewrites(std::string("a = LeakyRelu <alpha = -0.1> (x)") + pool), 0) << "falls below 0";
  EXPECT_EQ(rewrites(std::string("a = LeakyRelu(x)") + pool, "float[N,2,2,2] y, float[N,2,4,4] a"),
            0)
      << "the activation is an output";
  EXPECT_EQ(rewrites(std::string("a = LeakyRelu(x) z = Neg(a)") + pool,
                     "float[N,2,2,2] y, float[N,2,4,4] z"),
            0)
      << "others read the activation";
  EXPECT_EQ(rewrites("a = LeakyRelu(x)"
                     " y, i = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (a)",
                     "float[N,2,2,2] y, int64[N,2,2,2] i"),
            0)
      << "where the maxima lie is an output";
  EXPECT_EQ(rewrites("a = LeakyRelu(x) y = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> "
                     "(a)"),
            0)
      << "a mean is no maximum";
}

TEST(PoolsFirst, OnlyWhereActivationsRunByThemselves) {
  Model model = parsed(std::string("a = LeakyRelu(x)") + pool);
  EXPECT_EQ(run_pass("pools_first", model), 0);
}

}  // namespace
}  // namespace intaglio::testing
