// Methods for weights in groups, and the stage that fills a plan with codes.
#include "calibration/groups/quantize_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "lib/quant/draft.h"
#include "lib/quant/target.h"
#include "tests/support/group_codes.h"
#include "tests/support/support.h"
#include "tests/support/text_model.h"

namespace intaglio::testing {
namespace {

constexpr std::int64_t inputs = 64, outputs = 70;

// Two products behind each other, and a table that is the second's weight transposed.
Model model_of_products() {
  Model model = TextModel().ir(10).opset(21).typed(
      "(float[8,64] x, int64[2] ids, float[64,64] a, float[64,70] b, float[70,64] e) => "
      "(float[8,70] y, float[2,64] r) "
      "{ h = MatMul(x, a) y = MatMul(h, b) r = Gather(e, ids) }");
  const Tensor b = random_tensor({inputs, outputs});
  Tensor e(DType::f32, {outputs, inputs});
  for (std::size_t k = 0; k < inputs; ++k)
    for (std::size_t n = 0; n < outputs; ++n)
      e.mutate<float>()[n * inputs + k] = b.data<float>()[k * outputs + n];
  model.graph().find("a")->set_constant(random_tensor({inputs, inputs}));
  model.graph().find("b")->set_constant(b);
  model.graph().find("e")->set_constant(e);
  return model;
}

// Inputs that depend on each other, some of them large.
Tensor correlated(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor x(DType::f32, {8, inputs});
  for (std::size_t r = 0; r < 8; ++r) {
    const float common = normal(random);
    for (std::size_t k = 0; k < inputs; ++k)
      x.mutate<float>()[r * inputs + k] =
          (common * (k % 3 == 0 ? 1.5F : 0.5F) + normal(random) * 0.5F) *
          (k % 16 == 3 ? 8.0F : 1.0F);
  }
  return x;
}

Samples samples_of(std::size_t count) {
  return {.count = count, .load = [](std::size_t i) {
            return std::vector<Tensor>{correlated(static_cast<unsigned>(i)),
                                       Tensor::vector(std::vector<std::int64_t>{1, 5})};
          }};
}

Plan plan_of(const Model& model, DType type = DType::u4, std::int64_t group = 16) {
  Target target = read_target(source_dir() / "configs" / "onnxruntime.json");
  target.weights = {type, type == DType::s4, false, std::nullopt, group};
  Selection selection;
  selection.table = type;
  return draft_groups(model.graph(), target, selection, true);
}

const GroupCodes& codes_of(const Plan& plan, std::size_t node) {
  return *plan.nodes.at(node).constants.front().groups;
}

// |X (W' - W)|^2 over samples that no method saw.
double error_of(const Model& model, const Plan& plan, std::size_t node, const char* weight) {
  const Tensor& w = model.graph().find(weight)->constant();
  const ConstantPlan& constant = plan.nodes.at(node).constants.front();
  const auto n = static_cast<std::size_t>(w.dim(1));
  const auto made = dequantize_groups(*constant.groups, constant.scheme, GroupLayout::inputs_first,
                                      w.dim(0), w.dim(1));
  double sum = 0;
  for (unsigned seed = 100; seed < 110; ++seed) {
    const Tensor x = correlated(seed);
    for (std::size_t r = 0; r < 8; ++r)
      for (std::size_t o = 0; o < n; ++o) {
        double y = 0;
        for (std::size_t k = 0; k < inputs; ++k)
          y += static_cast<double>(x.data<float>()[r * inputs + k]) *
               static_cast<double>(made[k * n + o] - w.data<float>()[k * n + o]);
        sum += y * y;
      }
  }
  return sum;
}

double error_with(GroupRounding rounding, const Samples* samples) {
  const Model model = model_of_products();
  Plan plan = plan_of(model);
  quantize_weights(plan, model.graph(), {.rounding = rounding, .samples = samples});
  return error_of(model, plan, 0, "a");
}

TEST(QuantizeWeights, EachMethodBeatsTheOneBefore) {
  const Samples samples = samples_of(40);
  const double nearest = error_with(GroupRounding::nearest, nullptr),
               searched = error_with(GroupRounding::range_search, &samples),
               fed = error_with(GroupRounding::gptq, &samples);
  EXPECT_LT(searched, nearest * 0.9);
  EXPECT_LT(fed, searched * 0.7);
}

TEST(QuantizeWeights, SaysWhatWasDone) {
  const Model model = model_of_products();
  const Samples samples = samples_of(4);
  Plan plan = plan_of(model);
  const GroupSummary none =
      quantize_weights(plan, model.graph(), {.rounding = GroupRounding::gptq});
  EXPECT_EQ(none.rounding, GroupRounding::range_search) << "without samples";
  EXPECT_FALSE(none.weighted);
  const GroupSummary some =
      quantize_weights(plan, model.graph(), {.rounding = GroupRounding::gptq, .samples = &samples});
  EXPECT_EQ(some.rounding, GroupRounding::gptq);
  EXPECT_EQ(some.samples, 4U);
  EXPECT_EQ(some.weights, 2U) << "the table is the second weight";
  EXPECT_EQ(some.elements, inputs * inputs + inputs * outputs);
  EXPECT_GT(some.signal, some.noise * 50);
  EXPECT_TRUE(some.unweighted.empty());
}

TEST(QuantizeWeights, ATransposedTableSharesCodes) {
  const Model model = model_of_products();
  Plan plan = plan_of(model);
  quantize_weights(plan, model.graph(),
                   {.rounding = GroupRounding::nearest, .layout = GroupLayout::outputs_first});
  EXPECT_EQ(&codes_of(plan, 1), &codes_of(plan, 2));
  EXPECT_NE(&codes_of(plan, 0), &codes_of(plan, 1));
}

TEST(QuantizeWeights, SameCodesForAnyThreadsAndBudget) {
  const Model model = model_of_products();
  const Samples samples = samples_of(9);
  std::vector<Plan> plans;
  for (const auto& [threads, bytes] :
       {std::pair<std::size_t, std::uint64_t>{1, 1U << 30}, {2, 1U << 30}, {7, 1U << 30}, {2, 1}}) {
    plans.push_back(plan_of(model));
    quantize_weights(plans.back(), model.graph(),
                     {.rounding = GroupRounding::gptq,
                      .threads = threads,
                      .samples = &samples,
                      .moment_bytes = bytes});
  }
  for (const Plan& plan : plans)
    for (const std::size_t node : {0, 1}) {
      const GroupCodes &a = codes_of(plans.front(), node), &b = codes_of(plan, node);
      EXPECT_TRUE(std::equal(a.codes.raw(), a.codes.raw() + a.codes.bytes(), b.codes.raw()));
      EXPECT_TRUE(std::equal(a.scales.raw(), a.scales.raw() + a.scales.bytes(), b.scales.raw()));
    }
}

TEST(Moments, DoNotDependOnTheOrder) {
  const Tensor a = correlated(1), b = correlated(2);
  const double unit = unit_for(a.data<float>().data(), 8, inputs);
  InputMoments forth(inputs, unit), back(inputs, unit), part(inputs, unit);
  forth.add(a.data<float>().data(), 8), forth.add(b.data<float>().data(), 8);
  back.add(b.data<float>().data(), 8);
  part.add(a.data<float>().data(), 8), back.merge(part);
  double sum = 0;
  for (std::size_t r = 0; r < 8; ++r)
    for (const Tensor* t : {&a, &b})
      sum += static_cast<double>(t->data<float>()[r * inputs + 3]) *
             static_cast<double>(t->data<float>()[r * inputs + 20]);
  EXPECT_NEAR(forth.at(3, 20), sum, std::abs(sum) * 1e-4 + 1e-3);
  for (std::size_t i = 0; i < inputs; ++i)
    for (std::size_t j = 0; j < inputs; ++j) {
      ASSERT_EQ(forth.at(i, j), back.at(i, j));
      ASSERT_EQ(forth.at(i, j), forth.at(j, i));
    }
}

TEST(Moments, OfZerosWeighAllAlike) {
  const InputMoments moments(16, 1);
  for (const float i : importance_of(moments.diagonal())) EXPECT_EQ(i, 1);
}

}  // namespace
}  // namespace intaglio::testing
