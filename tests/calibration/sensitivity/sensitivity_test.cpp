// Layers, variants and what to keep float, against networks that are written out and run.
#include "calibration/sensitivity/sensitivity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calibration/ranges/select.h"
#include "calibration/sensitivity/keep_float.h"
#include "lib/exec/infer.h"
#include "lib/rewrite/qdq.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::random_tensor;

Target onnxruntime() { return read_target(testing::source_dir() / "configs" / "onnxruntime.json"); }

struct Network {
  Model model;
  Plan plan;
  std::vector<std::vector<Tensor>> feeds;
  Samples samples() const {
    return {feeds.size(), [this](std::size_t i) { return feeds[i]; }};
  }
};

// A network with random constants and ranges from its samples.
Network network(const std::string& graph, const Shape& shape) {
  Model model = testing::random_model(graph);
  Plan plan = draft(model.graph(), onnxruntime());
  std::vector<std::vector<Tensor>> feeds;
  for (unsigned i = 0; i < 40; ++i) feeds.push_back({random_tensor(shape, 20 + i, -1, 1)});
  Observations seen;
  const Executor executor(model.graph());
  for (const auto& sample : feeds)
    executor.run(sample, [&](const Value& v, const Tensor& t) {
      seen.values[v.name()].add(t.data<float>());
    });
  select(plan, model.graph(), seen);
  return {std::move(model), std::move(plan), std::move(feeds)};
}

// Convolutions with a Relu, a pool, an Add of two branches, and a last product.
Network branches() {
  return network(
      "(float[1,3,8,8] x, float[6,3,3,3] a, float[6] b, float[6,6,1,1] c, float[6,6,1,1] d, "
      "float[6,5] e) => (float[1,5] y) { p = Conv<pads=[1,1,1,1]>(x, a, b) r = Relu(p)"
      " m = MaxPool<kernel_shape=[2,2], strides=[2,2]>(r) s = Conv(m, c) t = Conv(m, d)"
      " u = Add(s, t) g = GlobalAveragePool(u) f = Flatten(g) y = MatMul(f, e) }",
      {1, 3, 8, 8});
}

Sensitivity measured(const Network& n, std::size_t threads = 1) {
  const Target target = onnxruntime();
  const Selection selection;
  SensitivityOptions options;
  options.simulator.threads = threads;
  return measure_sensitivity({n.model, n.model, n.plan, target, selection}, n.samples(), options);
}

std::vector<std::string> ops(const std::vector<QuantizedLayer>& layers) {
  std::vector<std::string> names;
  for (const QuantizedLayer& l : layers)
    names.push_back(l.node->op() + (l.fused ? "+" + l.fused->op() : ""));
  return names;
}

TEST(Layers, TakeTheirFusedActivationAlongAndMoversAreNone) {
  const Network n = branches();
  EXPECT_EQ(ops(quantized_layers(n.model.graph(), n.plan, onnxruntime())),
            (std::vector<std::string>{"Conv+Relu", "Conv", "Conv", "Add", "GlobalAveragePool",
                                      "MatMul"}));
}

TEST(Layers, ValuesAreTiedThroughMovers) {
  const Network n = branches();
  const auto layers = quantized_layers(n.model.graph(), n.plan, onnxruntime());
  const auto tied = tied_values(n.model.graph(), n.plan, layers);
  const auto it = std::ranges::find_if(
      tied, [](const TiedValues& t) { return std::ranges::count(t.values, "r") > 0; });
  ASSERT_NE(it, tied.end());
  EXPECT_EQ(it->values, (std::vector<std::string>{"r", "m"}));
  EXPECT_EQ(it->layers, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Layers, LeftFloatTheyLeaveThePlan) {
  const Network n = branches();
  const auto layers = quantized_layers(n.model.graph(), n.plan, onnxruntime());
  const Plan plan =
      draft(n.model.graph(), onnxruntime(), leaving_float({}, {layers[0]}, "because"));
  EXPECT_EQ(plan.nodes[0].reason, "because");
  EXPECT_EQ(plan.nodes[1].reason, "because") << "the Relu that was fused into it";
  EXPECT_EQ(plan.find("x"), nullptr);
  EXPECT_NE(plan.find("m"), nullptr) << "what the next layer reads";
}

// SQNR of the Q/DQ model of a plan that has the numbers of another one, run in float.
std::optional<double> written_db(const Network& n, Plan plan) {
  for (ActivationPlan& a : plan.activations) a.params = n.plan.find(a.name)->params;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    for (std::size_t c = 0; c < plan.nodes[i].constants.size(); ++c)
      plan.nodes[i].constants[c] = n.plan.nodes[i].constants[c];
    plan.nodes[i].bias.reset();  // an int32 is as good as a float
  }
  Model written = n.model.clone();
  write_qdq(written, plan);
  infer_types(written);
  const Executor reference(n.model.graph()), result(written.graph());
  Deviation d;
  for (const auto& feeds : n.feeds)
    d.add(reference.run(feeds)[0].data<float>(), result.run(feeds)[0].data<float>());
  return d.sqnr_db();
}

TEST(Sensitivity, IsThatOfTheModelsThatWouldBeWritten) {
  const Network n = branches();
  const Sensitivity s = measured(n);
  std::vector<QuantizedLayer> layers;
  for (const LayerSensitivity& l : s.layers) layers.push_back(l.layer);
  EXPECT_NEAR(*s.quantized.sqnr_db(), *written_db(n, n.plan), 1e-3);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<QuantizedLayer> others = layers;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const auto without = [&](const std::vector<QuantizedLayer>& left) {
      return written_db(n, draft(n.model.graph(), onnxruntime(), leaving_float({}, left, "-")));
    };
    EXPECT_NEAR(*s.layers[i].alone_float.sqnr_db(), *without({layers[i]}), 1e-3) << i;
    if (const auto alone = without(others)) {  // an Add alone stays float
      EXPECT_NEAR(*s.layers[i].alone_quantized.sqnr_db(), *alone, 1e-3) << i;
      ++compared;
    }
  }
  EXPECT_GE(compared, 4u);
}

TEST(Sensitivity, PartsAddUpToTheWhole) {
  const Sensitivity s = measured(branches());
  double sum = 0;
  for (const LayerSensitivity& l : s.layers) sum += l.weights_alone.relative();
  for (const Noise& value : s.values_alone) sum += value.relative();
  EXPECT_LT(std::abs(10 * std::log10(sum / s.quantized.relative())), 3) << "noise is independent";
}

TEST(Sensitivity, CountsProductsAndWeights) {
  const Sensitivity s = measured(branches());
  EXPECT_EQ(s.layers[0].macs, 6 * 8 * 8 * 27);
  EXPECT_EQ(s.layers[0].weights, 6u * 27);
  EXPECT_EQ(s.layers[3].macs, 0);
}

TEST(Sensitivity, RanksByWhatALayerCostsAlone) {
  const Sensitivity s = measured(branches());
  const auto order = ranking(s);
  ASSERT_EQ(order.size(), s.layers.size());
  for (std::size_t i = 1; i < order.size(); ++i)
    EXPECT_GE(s.layers[order[i - 1]].alone_quantized.relative(),
              s.layers[order[i]].alone_quantized.relative());
}

TEST(Sensitivity, DoesNotDependOnThreads) {
  const Network n = branches();
  const Sensitivity one = measured(n, 1), seven = measured(n, 7);
  for (std::size_t i = 0; i < one.layers.size(); ++i) {
    EXPECT_EQ(one.layers[i].alone_quantized.outputs[0].dd,
              seven.layers[i].alone_quantized.outputs[0].dd);
    EXPECT_EQ(one.layers[i].alone_float.outputs[0].dd, seven.layers[i].alone_float.outputs[0].dd);
  }
}

TEST(Sensitivity, LeavesOutBadSamplesAndWantsOne) {
  const Network n = branches();
  const Target target = onnxruntime();
  const Samples holes{4, [&](std::size_t i) -> std::optional<std::vector<Tensor>> {
                        if (i % 2 == 0) return std::nullopt;
                        return n.feeds[i];
                      }};
  EXPECT_EQ(
      measure_sensitivity({n.model, n.model, n.plan, target, {}}, holes, {}).quantized.samples, 2u);
  const Samples none{2, [](std::size_t) { return std::nullopt; }};
  EXPECT_THROW(measure_sensitivity({n.model, n.model, n.plan, target, {}}, none, {}), Error);
}

// --- What to keep float ---

Noise noise(double relative) {
  Noise n;
  n.outputs.resize(1);
  n.outputs[0].xx = 1;
  n.outputs[0].dd = relative;
  n.samples = 1;
  return n;
}

// Layers in a row with a value before, between and behind them.
Sensitivity chain(const std::vector<double>& weights, const std::vector<double>& values,
                  const std::vector<double>& macs) {
  Sensitivity s;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    s.layers.push_back({.macs = macs[i], .weights = 10, .weights_alone = noise(weights[i])});
    s.values.push_back(
        {{"v"}, i == 0 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{i - 1, i}});
    s.values_alone.push_back(noise(values[i]));
  }
  return s;
}

TEST(KeepOrder, TakesTheNoisiestWeightsFirst) {
  const auto sets =
      keep_order(chain({1, 5, 2}, {0, 0, 0}, {1, 1, 1}), KeepCost::layers, KeepAs::floats);
  ASSERT_EQ(sets.size(), 4u);
  EXPECT_EQ(sets[0].layers, (std::vector<std::size_t>{}));
  EXPECT_EQ(sets[1].layers, (std::vector<std::size_t>{1}));
  EXPECT_EQ(sets[2].layers, (std::vector<std::size_t>{1, 2}));
  EXPECT_NEAR(sets[1].noise, 3.0 / 8, 1e-12);
  EXPECT_NEAR(sets[3].noise, 0, 1e-12);
}

TEST(KeepOrder, TakesBothSidesOfANoisyValue) {
  const auto sets =
      keep_order(chain({1, 1, 1, 1}, {0, 0, 9, 0}, {1, 1, 1, 1}), KeepCost::layers, KeepAs::floats);
  EXPECT_EQ(sets[1].layers, (std::vector<std::size_t>{1, 2}));
}

TEST(KeepOrder, PrefersWhatIsCheap) {
  const auto sets = keep_order(chain({4, 3}, {0, 0}, {100, 1}), KeepCost::macs, KeepAs::floats);
  EXPECT_EQ(sets[1].layers, (std::vector<std::size_t>{1}));
  EXPECT_LT(sets[1].cost, 0.05);
}

TEST(KeepOrder, LayersOf16BitsKeepTheNoiseOfTheirWeights) {
  const auto sets =
      keep_order(chain({1, 50, 1, 1}, {0, 0, 9, 1}, {1, 1, 1, 1}), KeepCost::layers, KeepAs::wide);
  EXPECT_EQ(sets[1].layers, (std::vector<std::size_t>{1, 2})) << "around the noisiest value";
  EXPECT_NEAR(sets[1].noise, 54.0 / 63, 1e-12);
  EXPECT_NEAR(sets.back().noise, 53.0 / 63, 1e-12);
}

TEST(KeepOrder, StopsAtACount) {
  const auto sets = keep_order(chain({1, 1, 1, 1}, {0, 0, 9, 0}, {1, 1, 1, 1}), KeepCost::layers,
                               KeepAs::floats, 1);
  EXPECT_EQ(sets.back().layers.size(), 1u);
}

}  // namespace
}  // namespace intaglio
