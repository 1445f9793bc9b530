// The QDQ writer: structure, names, and that the result computes what the plan says.
#include "lib/rewrite/qdq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "lib/rewrite/constants.h"
#include "tests/rewrite/support.h"

namespace intaglio {
namespace {

using testing::count;
using testing::model_of;
using testing::plan_of;

const char* conv =
    "(float[1,2,3,3] x) => (float[1,2,3,3] y)"
    "<float[2,2,1,1] w = {1,-2,3,4}, float[2] b = {0.5,-0.5}>"
    "{ c = Conv(x, w, b) y = Relu(c) }";

TEST(Qdq, PairsStandAroundTheFusedGroupAndTheOutputKeepsItsName) {
  Model model = model_of(conv);
  write_qdq(model, plan_of(model));
  EXPECT_EQ(count(model, "QuantizeLinear"), 2);
  EXPECT_EQ(count(model, "DequantizeLinear"), 4);
  const Graph& graph = model.graph();
  EXPECT_EQ(graph.outputs().front()->name(), "y");
  EXPECT_TRUE(graph.outputs().front()->producer()->is("DequantizeLinear"));
  const Node* relu =
      graph.outputs().front()->producer()->input(0)->producer()->input(0)->producer();
  EXPECT_TRUE(relu->is("Relu"));
  const Node* conv_node = relu->input(0)->producer();
  ASSERT_TRUE(conv_node->is("Conv"));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(conv_node->input(i)->producer()->is("DequantizeLinear"));
  EXPECT_EQ(conv_node->input(1)->producer()->attr_int("axis", 1), 0);
  EXPECT_EQ(conv_node->input(1)->producer()->input(0)->dtype(), DType::s8);
  EXPECT_EQ(conv_node->input(2)->producer()->input(0)->dtype(), DType::s32);
  EXPECT_EQ(graph.find("w"), nullptr) << "the float weight is gone";
}

TEST(Qdq, TheResultIsCloseToTheFloatModel) {
  Model model = model_of(conv);
  const Tensor x = testing::random_tensor({1, 2, 3, 3}, 3, -0.5f, 0.5f);
  const Tensor before = Executor(model.graph()).run({{x}}).front();
  write_qdq(model, plan_of(model));
  const Tensor after = Executor(model.graph()).run({{x}}).front();
  EXPECT_TRUE(testing::close(after, before, 0, 0.15));
  EXPECT_FALSE(testing::close(after, before, 0, 1e-4)) << "the result must have been rounded";
}

// ONNX may leave the zeros out; compilers look for them.
TEST(Qdq, EveryConversionHasAZeroPoint) {
  Model model = model_of(conv);
  write_qdq(model, plan_of(model));
  for (const Node* node : model.graph().nodes()) {
    if (!node->is("DequantizeLinear") && !node->is("QuantizeLinear")) continue;
    const Value *scale = node->input(1), *zero = node->input(2);
    ASSERT_NE(zero, nullptr) << node->label();
    EXPECT_EQ(zero->constant().shape(), scale->constant().shape()) << node->label();
    const Value* codes = node->is("DequantizeLinear") ? node->input(0) : node->output(0);
    EXPECT_EQ(zero->dtype(), codes->dtype()) << node->label();
  }
}

// What makes the codes of a value: "uint8", "uint16".
std::string type_behind(const Value* dequantized) {
  return std::string(name_of(dequantized->producer()->input(0)->dtype()));
}

const char* three_convs =
    "(float[1,2,3,3] x) => (float[1,2,3,3] y)"
    "<float[2,2,1,1] w = {0.4,-0.2,0.3,0.1}, float[2] b = {0.5,-0.5}>"
    "{ c = Conv(x, w, b) d = Conv(c, w, b) y = Conv(d, w, b) }";

Plan raised_plan(const Model& model, const char* output) {
  Selection selection;
  selection.raised[output] = "";
  return plan_of(model, testing::onnxruntime_target(), selection);
}

TEST(Qdq, RaisedNodesReadAndMake16BitsAlone) {
  Model model = model_of(three_convs, 21);
  write_qdq(model, raised_plan(model, "d"));
  EXPECT_EQ(count(model, "QuantizeLinear"), 4 + 2);
  const Node* last =
      model.graph().find("y")->producer()->input(0)->producer()->input(0)->producer();
  EXPECT_EQ(type_behind(last->input(0)), "uint8");
  const Node* narrowed = last->input(0)->producer()->input(0)->producer();
  EXPECT_EQ(type_behind(narrowed->input(0)), "uint16") << "16 bits become 8 behind the raised node";
  const Node* raised = narrowed->input(0)->producer()->input(0)->producer()->input(0)->producer();
  ASSERT_TRUE(raised->is("Conv"));
  EXPECT_EQ(type_behind(raised->input(0)), "uint16");
  const Node* widened = raised->input(0)->producer()->input(0)->producer();
  EXPECT_EQ(type_behind(widened->input(0)), "uint8") << "8 bits become 16 before it";
  EXPECT_EQ(raised->input(2)->producer()->input(1)->constant().to_vector<float>()[0] * 256,
            last->input(2)->producer()->input(1)->constant().to_vector<float>()[0])
      << "its bias has the scale of what it reads";
}

TEST(Qdq, ARaisedNodeAmongNarrowOnesComputesWhatItDid) {
  Model plain = model_of(three_convs, 21), raised = model_of(three_convs, 21);
  write_qdq(plain, plan_of(plain));
  write_qdq(raised, raised_plan(raised, "d"));
  const Tensor x = testing::random_tensor({1, 2, 3, 3}, 3, -1, 1);
  const Tensor a = Executor(plain.graph()).run({{x}}).front(),
               b = Executor(raised.graph()).run({{x}}).front();
  EXPECT_TRUE(testing::close(a, b, 0, 8.0 / 255)) << "but for one step of the last value";
}

TEST(Qdq, RaisedNodesNeedOpset21) {
  Model model = model_of(three_convs);
  const Plan plan = raised_plan(model, "d");
  EXPECT_THROW(write_qdq(model, plan), Error);
}

TEST(Qdq, SharedWeightsAndBiasesAreCopiedPerUse) {
  Model model = model_of(
      "(float[1,2,3,3] x) => (float[1,2,3,3] y, float[1,2,3,3] z)"
      "<float[2,2,1,1] w = {1,-2,3,4}, float[2] b = {0.5,-0.5}>"
      "{ a = Sigmoid(x) y = Conv(x, w, b) z = Conv(a, w, b) }");
  Plan plan = plan_of(model);
  plan.find("a")->params = {DType::u8, {}, {1.0f / 255}, {0}};
  write_qdq(model, plan);
  const Node* y = model.graph().find("y")->producer()->input(0)->producer()->input(0)->producer();
  const Node* z = model.graph().find("z")->producer()->input(0)->producer()->input(0)->producer();
  ASSERT_TRUE(y->is("Conv") && z->is("Conv"));
  EXPECT_NE(y->input(1), z->input(1));
  EXPECT_NE(y->input(2), z->input(2));
  const auto by = y->input(2)->producer()->input(0)->constant().to_vector<int>();
  const auto bz = z->input(2)->producer()->input(0)->constant().to_vector<int>();
  EXPECT_GT(bz[0], 5 * by[0]) << "each bias has the scale of its own input";
}

TEST(Qdq, NamesNeverCollide) {
  Model model = model_of(
      "(float[1,4] x) => (float[1,4] y) <float[4] x_scale = {1,2,3,4}>"
      "{ x_quantized = Mul(x, x_scale) x_dequantized = Sigmoid(x_quantized) y = Add(x_dequantized, "
      "x) }");
  write_qdq(model, plan_of(model));
  model.graph().verify();
  EXPECT_EQ(Executor(model.graph()).run({{testing::random_tensor({1, 4})}}).front().shape(),
            (Shape{1, 4}));
}

TEST(Qdq, OneGroupHasOneScale) {
  Model model = model_of(
      "(float[1,1,4,4] x) => (float[1,1,2,2] y)"
      "{ p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x) s = Sigmoid(x) t = Relu(s) y = "
      "Add(p, p) }");
  const Plan plan = plan_of(model);
  write_qdq(model, plan);
  int scales = 0;
  for (const Value* v : model.graph().values())
    scales += v->is_constant() && v->name().ends_with("_scale");
  std::set<std::string> groups;
  for (const auto& a : plan.activations) groups.insert(a.group);
  EXPECT_EQ(scales, static_cast<int>(groups.size()));
  EXPECT_LT(groups.size(), plan.activations.size());
}

TEST(Qdq, TablesAreLookedUpInCodes) {
  Model model = model_of("(int64[3] ids, float[3,26] x) => (float[3,26] y) <" +
                         testing::table_of_40_rows("e") +
                         "> { g = Gather(e, ids) a = Add(g, x) y = Sigmoid(a) }");
  Plan plan = plan_of(model);
  write_qdq(model, plan);
  const Node* mul = model.graph().find("g")->producer();
  ASSERT_TRUE(mul->is("Mul"));
  const Node* gather = mul->input(0)->producer()->input(0)->producer();
  EXPECT_EQ(gather->input(0)->constant().dtype(), DType::s8);
  EXPECT_EQ(model.graph().find("e"), nullptr);
}

TEST(Qdq, RowsThatAreTakenAsCodesAreNotQuantizedAgain) {
  const std::string body =
      "(int64[3] ids) => (float[26,3] y) <" + testing::table_of_40_rows("e") +
      "> { g = Gather(e, ids) t = Transpose <perm = [1, 0]> (g) y = Mul(t, t) }";
  Model model = model_of(body);
  const Tensor ids = Tensor::vector(std::vector<std::int64_t>{3, 39, 0});
  const Tensor before = Executor(model.graph()).run({{ids}}).front();
  const Plan plan = plan_of(model);
  const auto dequantized = write_qdq(model, plan);
  const Node* rows = model.graph().find("g")->producer();
  ASSERT_TRUE(rows->is("DequantizeLinear"));
  EXPECT_EQ(rows->input(0)->producer()->input(0)->constant().dtype(), DType::u8);
  EXPECT_EQ(rows->output(0)->uses().size(), 1u);
  EXPECT_TRUE(rows->output(0)->uses().front().node->is("Transpose")) << "and no QuantizeLinear";
  EXPECT_EQ(dequantized.at("g"), "g");
  Tensor within = before;  // the plan of the test cuts values off
  for (float& v : within.mutate<float>()) v = std::clamp(v, -4.0f, 4.0f);
  EXPECT_TRUE(testing::close(Executor(model.graph()).run({{ids}}).front(), within, 0, 0.3));
}

TEST(Qdq, SixteenBitsNeedOpset21) {
  Model model = model_of("(float[4] x) => (float[4] y) { y = Add(x, x) }");
  Plan plan = plan_of(model);
  for (auto& a : plan.activations) a.scheme.type = DType::u16;
  EXPECT_THROW(write_qdq(model, plan), Error);
}

// A plan is a file that anybody can edit.
TEST(Qdq, APlanThatContradictsItselfIsRefused) {
  const std::string text =
      "(float[1,2,3,3] x) => (float[1,2,3,3] y) <float[2,2,1,1] w = {0.1,-0.2,0.3,0.4}, float[2] b "
      "= {0.5,-0.5}> { y = Conv(x, w, b) }";
  const auto refused = [&](const std::function<void(Plan&)>& edit) -> std::string {
    Model model = model_of(text);
    Plan plan = plan_of(model);
    edit(plan);
    try {
      write_qdq(model, plan);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::config);
      return e.what();
    }
    return "";
  };
  const auto weight = [](Plan& plan) -> ConstantPlan& { return plan.nodes[0].constants[0]; };
  EXPECT_EQ(refused([](Plan&) {}), "");
  const auto holds = [&](const char* part, const std::function<void(Plan&)>& edit) {
    EXPECT_NE(refused(edit).find(part), std::string::npos) << part << ": " << refused(edit);
  };
  holds("its data has no scale",
        [](Plan& plan) { plan.activations.erase(plan.activations.begin()); });
  holds("its weights have no scale", [](Plan& plan) { plan.nodes[0].constants.clear(); });
  holds("'w' as input 0 of Conv", [&](Plan& plan) { weight(plan).input = 0; });
  holds("'b' as input 1 of Conv", [&](Plan& plan) { plan.nodes[0].bias->input = 1; });
  for (const int axis : {-1, 4})
    holds("scales for constant 'w'", [&](Plan& plan) { weight(plan).params.axis = axis; });
  holds("scales for constant 'w'", [&](Plan& plan) { weight(plan).params.scale.pop_back(); });
  holds("scales for constant 'w'", [&](Plan& plan) { weight(plan).params.zero_point.pop_back(); });
  holds("scales for constant 'w'", [&](Plan& plan) { weight(plan).params.axis.reset(); });
}

TEST(Qdq, APlanForAnotherModelIsRefused) {
  Model model = model_of(conv);
  Model other = model_of("(float[4] q) => (float[4] r) { r = Sigmoid(q) }");
  const Plan plan = plan_of(model);
  EXPECT_THROW(write_qdq(other, plan), Error);
}

// Exporters name a fused operator after all its parts.
TEST(Qdq, NewNamesComeFromTheLastPartsOfLongOnes) {
  const std::string parts =
      "model/cq/conv1d_2;model/cq/conv1d_2;model/norm/Batch;model/conv2d_1/Relu";
  EXPECT_EQ(name_stem("block.conv.weight"), "block.conv.weight");
  EXPECT_EQ(name_stem(parts), "cq/conv1d_2;model/norm/Batch;model/conv2d_1/Relu");
  EXPECT_EQ(name_stem(std::string(60, 'x')), std::string(60, 'x')) << "it has no parts";
  EXPECT_EQ(name_stem(std::string(60, 'x') + "/Relu"), std::string(60, 'x') + "/Relu")
      << "the last part alone says too little";
}

TEST(Qdq, WhereLayersMakeFloatsReadersInFloatReadThem) {
  const char* text =
      "(float[1,2,3,3] x) => (float[1,2,3,3] y, float[1,2,3,3] z)"
      "<float[2,2,1,1] w = {1,-2,3,4}, float[2,2,1,1] v = {1,2,3,4}>"
      "{ c = Conv(x, w) y = Erf(c) z = Conv(c, v) }";
  for (const bool floats : {false, true}) {
    Model model = model_of(text);
    write_qdq(model, plan_of(model), {.float_results = floats});
    const Node* erf = model.graph().find("y")->producer();
    EXPECT_EQ(erf->input(0)->producer()->op(), floats ? "Conv" : "DequantizeLinear");
    EXPECT_EQ(count(model, "QuantizeLinear"), 3) << "the second Conv reads codes either way";
  }
}

}  // namespace
}  // namespace intaglio
