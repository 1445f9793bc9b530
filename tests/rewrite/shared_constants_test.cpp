// Constants that are equal are stored once.
#include "lib/rewrite/shared_constants.h"

#include <gtest/gtest.h>

#include <set>

#include "lib/passes/qdq/fuse_qdq.h"
#include "lib/rewrite/dynamic.h"
#include "lib/rewrite/qdq.h"
#include "lib/rewrite/qoperator.h"
#include "lib/rewrite/weights.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

// A weight of 16 x 16 that a chain of `steps` products reads.
Model chain(const std::string& product, int steps) {
  std::string text, last = "x";
  for (int i = 0; i < steps; ++i) {
    const std::string n = std::to_string(i);
    text += "g" + n + " = " + product + "(" + last + ", w, b) ";
    last = "t" + n;
    text += last + " = Tanh(g" + n + ") ";
  }
  return random_model("(float[1,16] x, float[16,16] w, float[16] b) => (float[1,16] y) { " + text +
                      "y = Identity(" + last + ") }");
}

// Constants of one byte an element with as many elements as a weight of the chain.
int stored(const Model& model) {
  int found = 0;
  for (const Value* v : model.graph().values())
    found += v->is_constant() && v->constant().size() == 256 && bits_of(v->constant().dtype()) == 8;
  return found;
}

std::vector<Tensor> run(const Model& model) {
  return Executor(model.graph()).run({{random_tensor({1, 16})}});
}

void expect_once(Model& model, int before) {
  const std::vector<Tensor> expected = run(model);
  EXPECT_EQ(stored(model), before) << "a copy for each use";
  EXPECT_GT(share_equal_constants(model.graph(), Engine::onnxruntime_x86), 0);
  model.graph().verify();
  EXPECT_EQ(stored(model), 1);
  EXPECT_EQ(run(model).front().to_vector<float>(), expected.front().to_vector<float>());
}

TEST(SharedConstants, CodesOfASharedWeightAreStoredOnceInEveryForm) {
  for (const char* product : {"Gemm", "Gemm <transB = 1>"}) {
    Model qdq = chain(product, 3);
    write_qdq(qdq, plan_of(qdq));
    expect_once(qdq, 3);
    EXPECT_EQ(count(qdq, "Gemm"), 3);
    std::set<const Node*> made_by;
    for (const Node* node : qdq.graph().nodes())
      if (node->is("Gemm")) made_by.insert(node->input(1)->producer());
    EXPECT_EQ(made_by.size(), 3u) << "each reader has a DequantizeLinear of its own";

    for (const bool microsoft : {false, true}) {
      Model codes = chain(product, 3);
      write_qoperator(codes, plan_of(codes, qoperator_target(onnxruntime_target())), microsoft);
      expect_once(codes, 3);
    }
    Model dynamic = chain(product, 3);
    write_dynamic(dynamic, weights_plan_of(dynamic));
    expect_once(dynamic, 3);
    Model weights = chain(product, 3);
    write_weights(weights, weights_plan_of(weights));
    expect_once(weights, 3);
  }
}

// onnxruntime makes MatMulNBits of products whose codes and scale nothing else reads.
TEST(SharedConstants, ProductsWithWeightsAloneReadTheCodesThroughASlice) {
  Model model = random_model(
      "(float[2,16] x, float[16,16] w) => (float[2,16] y) { g = MatMul(x, w) t = Tanh(g) h = "
      "MatMul(t, w) u = Tanh(h) y = MatMul(u, w) }");
  write_weights(model, weights_plan_of(model));
  const Tensor x = random_tensor({2, 16});
  const Tensor expected = Executor(model.graph()).run({{x}}).front();
  share_equal_constants(model.graph(), Engine::onnxruntime_x86);
  model.graph().verify();
  EXPECT_EQ(stored(model), 1);
  EXPECT_EQ(count(model, "Slice"), 2);
  EXPECT_EQ(Executor(model.graph()).run({{x}}).front().to_vector<float>(),
            expected.to_vector<float>());
  std::set<std::int64_t> ends;
  std::set<const Value*> scales;
  for (const Node* node : model.graph().nodes()) {
    if (node->is("Slice")) ends.insert(node->input(2)->constant().item<std::int64_t>());
    if (node->is("DequantizeLinear")) scales.insert(node->input(1));
  }
  EXPECT_EQ(ends.size(), 2u) << "equal nodes would become one";
  EXPECT_EQ(scales.size(), 3u);
  Model straight = model.clone();
  drop_whole_slices(straight.graph());
  EXPECT_EQ(count(straight, "Slice"), 0);
  fuse_integers(model, {.blocks = true});
  EXPECT_EQ(count(model, "MatMulNBits"), 3);
}

TEST(SharedConstants, CompilersOfPairsReadTheCodesAsTheyAre) {
  Model model = random_model(
      "(float[2,16] x, float[16,16] w) => (float[2,16] y) { g = MatMul(x, w) t = Tanh(g) y = "
      "MatMul(t, w) }");
  write_weights(model, weights_plan_of(model));
  EXPECT_GT(share_equal_constants(model.graph(), Engine::pairs), 0);
  EXPECT_EQ(stored(model), 1);
  EXPECT_EQ(count(model, "Slice"), 0);
}

TEST(SharedConstants, EqualOnesOfDifferentNamesBecomeTheFirst) {
  const std::string zeros = "{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}";
  Model model = model_of("(float[16] x) => (float[1,16] y) <float[16] a = " + zeros +
                         ", float[16] b = " + zeros + ", float[1,16] c = " + zeros +
                         "> { s = Add(x, a) t = Add(s, b) y = Add(t, c) }");
  EXPECT_EQ(share_equal_constants(model.graph(), Engine::onnxruntime_x86), 1);
  EXPECT_NE(model.graph().find("a"), nullptr);
  EXPECT_EQ(model.graph().find("b"), nullptr);
  EXPECT_NE(model.graph().find("c"), nullptr) << "of another shape";
  EXPECT_EQ(model.graph().find("t")->producer()->input(1)->name(), "a");
}

TEST(SharedConstants, SmallOnesStay) {
  Model model = model_of(
      "(float[2] x) => (float[2] y) <float[2] a = {1,2}, float[2] b = {1,2}>"
      "{ s = Add(x, a) y = Add(s, b) }");
  EXPECT_EQ(share_equal_constants(model.graph(), Engine::onnxruntime_x86), 0)
      << "8 bytes are not worth a name";
}

}  // namespace
}  // namespace intaglio::testing
