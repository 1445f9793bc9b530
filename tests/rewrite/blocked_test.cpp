// Weights in groups as DequantizeLinear with blocks and as operators of com.microsoft.
#include "lib/rewrite/blocked.h"

#include <gtest/gtest.h>

#include "calibration/groups/methods.h"
#include "lib/quant/group_codes.h"
#include "lib/rewrite/form.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {
namespace {

Target grouped_target(DType type, std::int64_t group = 16) {
  Target target = onnxruntime_target();
  target.weights = {type, type == DType::s4 || type == DType::s8, false, std::nullopt, group};
  return target;
}

Plan plan_for(const Model& model, OutputForm form, const Target& target,
              const Selection& selection = {}) {
  Plan plan = def_of(form).draft(model.graph(), target, selection);
  const GroupLayout layout =
      form == OutputForm::matmulnbits ? GroupLayout::outputs_first : GroupLayout::inputs_first;
  for (NodePlan& node : plan.nodes)
    for (ConstantPlan& c : node.constants) {
      const Tensor& w = model.graph().find(c.name)->constant();
      if (c.scheme.group > 0)
        c.groups = std::make_shared<GroupCodes>(quantize_groups(
            weight_matrix(w, *c.scheme.axis), c.scheme, *make_nearest(), layout, 1));
      else
        c.params = choose_qparams(ranges_of(w, c.scheme.axis), c.scheme);
    }
  return plan;
}

std::string constant_text(const std::string& name, int rows, int columns) {
  std::string text = fmt::format("float[{},{}] {} = {{", rows, columns, name);
  for (int i = 0; i < rows * columns; ++i)
    text += fmt::format("{}{:.3f}", i == 0 ? "" : ",", std::sin(i * 0.37 + rows) * (1 + i % 5));
  return text + "}";
}

struct Form {
  OutputForm form;
  std::string ops;
};

// The model written in a form computes what it did but for rounding of its weights, and both forms
// the same.
void expect_close(const std::string& text, const Tensor& x, const std::string& standard,
                  const std::string& contrib, double within, int opset = 21) {
  std::vector<Tensor> results;
  for (const auto& [form, ops] :
       {Form{OutputForm::weights, standard}, Form{OutputForm::matmulnbits, contrib}}) {
    Model model = model_of(text, opset);
    const Tensor before = Executor(model.graph()).run({{x}}).front();
    const Plan plan = plan_for(model, form, grouped_target(DType::u4));
    def_of(form).write(model, plan, {});
    EXPECT_EQ(ops_of(model), ops);
    results.push_back(Executor(model.graph()).run({{x}}).front());
    EXPECT_TRUE(close(results.back(), before, 0, within));
  }
  EXPECT_TRUE(close(results[0], results[1], 1e-5, 1e-5));
}

TEST(Blocked, MatMul) {
  expect_close(
      "(float[2,48] x) => (float[2,7] y) <" + constant_text("w", 48, 7) + "> { y = MatMul(x, w) }",
      random_tensor({2, 48}), "DequantizeLinear MatMul", "MatMulNBits", 6);
}

TEST(Blocked, GemmWithTransposedWeightsAndBias) {
  expect_close("(float[2,48] x) => (float[2,3] y) <" + constant_text("w", 3, 48) +
                   ", float[3] b = {1,-2,3}> { y = Gemm <transB = 1> (x, w, b) }",
               random_tensor({2, 48}), "DequantizeLinear Gemm", "MatMulNBits", 6);
}

TEST(Blocked, GemmThatAddsAMatrix) {
  expect_close("(float[2,48] x) => (float[2,3] y) <" + constant_text("w", 48, 3) +
                   ", float[2,3] b = {1,-2,3,4,5,6}> { y = Gemm(x, w, b) }",
               random_tensor({2, 48}), "DequantizeLinear Gemm", "MatMulNBits Add", 6);
}

TEST(Blocked, WeightsBehindATranspose) {
  expect_close("(float[2,32] x) => (float[2,5] y) <" + constant_text("w", 5, 32) +
                   "> { t = Transpose <perm = [1,0]> (w) y = MatMul(x, t) }",
               random_tensor({2, 32}), "DequantizeLinear MatMul", "MatMulNBits", 6);
}

TEST(Blocked, TablesAreLookedUpInGroups) {
  Model model = model_of("(int64[1,3] ids) => (float[1,3,32] y) <" + constant_text("e", 40, 32) +
                             "> { y = Gather(e, ids) }",
                         21);
  const Plan plan = plan_for(model, OutputForm::matmulnbits, grouped_target(DType::u4));
  ASSERT_EQ(plan.nodes.front().constants.size(), 1U);
  EXPECT_EQ(plan.nodes.front().constants.front().scheme.type, DType::u8) << "the default of tables";
  def_of(OutputForm::matmulnbits).write(model, plan, {});
  EXPECT_EQ(ops_of(model), "GatherBlockQuantized");
  const Node& node = *model.graph().nodes().front();
  EXPECT_EQ(node.attr_int("bits"), 8);
  EXPECT_EQ(node.attr_int("block_size"), 16);
  EXPECT_EQ(node.input(0)->constant().shape(), (Shape{40, 32}));
  EXPECT_EQ(node.input(2)->constant().shape(), (Shape{40, 2}));
  EXPECT_EQ(model.graph().find("e"), nullptr);
}

TEST(Blocked, ATiedTableIsStoredOnce) {
  Model model =
      model_of("(int64[1,3] ids) => (float[1,3,40] y) <" + constant_text("e", 40, 32) +
                   "> { x = Gather(e, ids) t = Transpose <perm = [1,0]> (e) y = MatMul(x, t) }",
               21);
  Selection selection;
  selection.head = DType::u8;
  Plan plan = plan_for(model, OutputForm::matmulnbits, grouped_target(DType::u4), selection);
  std::shared_ptr<const GroupCodes> codes;
  for (NodePlan& node : plan.nodes)
    for (ConstantPlan& c : node.constants) {
      if (codes == nullptr) codes = c.groups;
      c.groups = codes;
    }
  def_of(OutputForm::matmulnbits).write(model, plan, {});
  int large = 0;
  for (const Value* value : model.graph().values())
    large += value->is_constant() && value->constant().size() >= 40 * 32;
  EXPECT_EQ(large, 1) << ops_of(model);
}

TEST(Blocked, AccuracyLevelIsWritten) {
  for (const std::int64_t level : {0, 4}) {
    Model model = model_of("(float[2,32] x) => (float[2,5] y) <" + constant_text("w", 32, 5) +
                               "> { y = MatMul(x, w) }",
                           17);
    def_of(OutputForm::matmulnbits)
        .write(model, plan_for(model, OutputForm::matmulnbits, grouped_target(DType::s4)),
               {.accuracy_level = level});
    const Node& node = *model.graph().nodes().front();
    EXPECT_EQ(node.has("accuracy_level"), level > 0);
    EXPECT_EQ(node.inputs().size(), 3U) << "symmetric: no zero points";
    EXPECT_EQ(model.graph().opset("com.microsoft"), 1);
  }
}

TEST(Blocked, NeedsAnOpset) {
  Model model = model_of(
      "(float[2,32] x) => (float[2,8] y) <" + constant_text("w", 32, 8) + "> { y = MatMul(x, w) }",
      21);
  const Plan plan = plan_for(model, OutputForm::weights, grouped_target(DType::u2));
  EXPECT_THROW(def_of(OutputForm::weights).write(model, plan, {}), Error);
}

TEST(Blocked, SelectionChoosesTypes) {
  const std::string text = "(float[2,32] x) => (float[2,5] y) <" + constant_text("a", 32, 32) +
                           "," + constant_text("b", 32, 32) + "," + constant_text("c", 32, 5) +
                           "> { h = MatMul(x, a) k = MatMul(h, b) y = MatMul(k, c) }";
  const Model model = model_of(text, 21);
  Selection selection;
  selection.head = DType::s8;
  selection.weights_of = {{"h", DType::undefined}};
  const Plan plan =
      def_of(OutputForm::weights).draft(model.graph(), grouped_target(DType::u4), selection);
  EXPECT_FALSE(plan.nodes[0].quantized);
  EXPECT_EQ(plan.nodes[1].constants.front().scheme.type, DType::u4);
  EXPECT_EQ(plan.nodes[2].constants.front().scheme.type, DType::s8);
  selection.weights_of = {{"nothing", DType::u8}};
  EXPECT_THROW(
      def_of(OutputForm::weights).draft(model.graph(), grouped_target(DType::u4), selection),
      Error);
}

TEST(Blocked, NarrowWeightsHaveSmallerGroups) {
  Model model = model_of("(float[2,40] x, float[32,8] p) => (float[2,5] y) <" +
                             constant_text("w", 40, 32) + "," + constant_text("v", 8, 5) +
                             "> { h = MatMul(x, w) k = MatMul(h, p) y = MatMul(k, v) }",
                         21);
  model.graph().find("p")->set_constant(random_tensor({32, 8}));
  const Plan plan =
      def_of(OutputForm::weights).draft(model.graph(), grouped_target(DType::u4, 128), {});
  EXPECT_EQ(plan.nodes[0].constants.front().scheme.group, 32);
  EXPECT_FALSE(plan.nodes.back().quantized) << "8 inputs make no group";
  EXPECT_EQ(plan.warnings.size(), 1U);
}

// A row that ended within a group would come out longer than it is.
TEST(Blocked, RowsOfTablesAreWholeGroups) {
  for (const auto& [width, group] : {std::pair{48, 16}, {64, 32}, {33, 0}}) {
    const Model model = model_of(fmt::format("(int64[1,3] ids) => (float[1,3,{}] y) <", width) +
                                     constant_text("e", 40, width) + "> { y = Gather(e, ids) }",
                                 21);
    const Plan plan =
        def_of(OutputForm::matmulnbits).draft(model.graph(), grouped_target(DType::u4, 32), {});
    EXPECT_EQ(plan.nodes.front().constants.front().scheme.group, group) << width;
  }
}

// onnxruntime 1.31 computes something else from DequantizeLinear of 2 bits.
TEST(Blocked, TwoBitsOfOddOutputsBecomeFour) {
  const Model model = model_of(
      "(float[2,32] x) => (float[2,7] y) <" + constant_text("w", 32, 7) + "> { y = MatMul(x, w) }",
      21);
  const Plan standard =
      def_of(OutputForm::weights).draft(model.graph(), grouped_target(DType::u2), {});
  EXPECT_EQ(standard.nodes.front().constants.front().scheme.type, DType::u4);
  EXPECT_EQ(standard.warnings.size(), 1U);
  const Plan contrib =
      def_of(OutputForm::matmulnbits).draft(model.graph(), grouped_target(DType::u2), {});
  EXPECT_EQ(contrib.nodes.front().constants.front().scheme.type, DType::u2);
}

TEST(Blocked, HeadsAndTablesThatAreNotThereAreErrors) {
  Selection head, table;
  head.head = DType::u8, table.table = DType::u8;
  const std::string capped =
      "h = MatMul(x, w) d = Div(h, c) t = Tanh(d) m = Mul(t, c) y = Softmax(m)";
  for (const auto& [nodes, is_head] :
       {std::pair<std::string, bool>{capped, true}, {"h = MatMul(x, w) y = Mul(h, h)", false}}) {
    const Model model = model_of("(float[2,32] x) => (float[2,5] y) <" + constant_text("w", 32, 5) +
                                     ", float c = {3}> { " + nodes + " }",
                                 21);
    const auto drafted = [&](const Selection& selection) {
      return def_of(OutputForm::matmulnbits)
          .draft(model.graph(), grouped_target(DType::u4), selection);
    };
    EXPECT_THROW(drafted(table), Error);
    if (is_head)
      EXPECT_EQ(drafted(head).nodes.front().constants.front().scheme.type, DType::u8);
    else
      EXPECT_THROW(drafted(head), Error);
  }
}

}  // namespace
}  // namespace intaglio::testing
