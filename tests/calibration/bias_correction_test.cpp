// Bias correction on small networks, where the right answer is known.
#include "calibration/refine/bias_correction.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/refine/channel_sums.h"
#include "calibration/select.h"
#include "lib/exec/executor.h"
#include "lib/quant/array.h"
#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::random_tensor;

struct Subject {
  Model model;
  Plan plan;
  std::vector<std::vector<Tensor>> samples;
};

// Two convolutions with a Relu between them, weights of few bits' worth so that means shift.
Subject subject(const std::string& activation) {
  Model model = parse_model(
      "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3,8,8] x, float[8,3,3,3] w, float[8] "
      "b,"
      " float[4,8,1,1] v, float[4] d) => (float[] y) { c = Conv<pads=[1,1,1,1]>(x, w, b) r = " +
      activation + " y = Conv(r, v, d) }");
  Graph& g = model.graph();
  g.find("w")->set_constant(random_tensor({8, 3, 3, 3}, 1, -1, 1));
  g.find("b")->set_constant(random_tensor({8}, 2, -0.5f, 0.5f));
  g.find("v")->set_constant(random_tensor({4, 8, 1, 1}, 3, -1, 1));
  g.find("d")->set_constant(random_tensor({4}, 4, -0.5f, 0.5f));
  infer_types(model);
  Plan plan = draft(g, read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  std::vector<std::vector<Tensor>> samples;
  for (unsigned i = 0; i < 4; ++i) samples.push_back({random_tensor({1, 3, 8, 8}, 10 + i, 0, 1)});
  Observations seen;
  const Executor executor(g);
  for (const auto& feeds : samples)
    executor.run(feeds, [&](const Value& v, const Tensor& t) {
      seen.values[v.name()].add(t.data<float>());
    });
  select(plan, g, seen);
  for (NodePlan& node : plan.nodes)  // a coarse weight scale: much of the error is a shift
    for (ConstantPlan& c : node.constants)
      for (float& s : c.params.scale) s *= 24;
  return {std::move(model), std::move(plan), std::move(samples)};
}

// Mean over samples and positions of float minus quantized output, by channel.
std::vector<double> shifts(const Subject& s, const Model& corrected) {
  Model twin = corrected.clone();
  for (const NodePlan& node : s.plan.nodes)
    for (const ConstantPlan& c : node.constants) {
      Value& value = *twin.graph().find(c.name);
      value.set_constant(dequantize(quantize(value.constant(), c.params, c.scheme), c.params));
    }
  const Executor reference(s.model.graph()), quantized(twin.graph());
  std::vector<double> sums(4);
  for (const auto& feeds : s.samples) {
    const Tensor y = reference.run(feeds)[0], q = quantized.run(feeds)[0];
    for (std::size_t i = 0; i < y.data<float>().size(); ++i)
      sums[i / 64] += y.data<float>()[i] - q.data<float>()[i];
  }
  for (double& v : sums) v /= 64.0 * static_cast<double>(s.samples.size());
  return sums;
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

TEST(BiasCorrection, TakesAwayTheMeanOfTheError) {
  for (const char* activation : {"Relu(c)", "LeakyRelu<alpha=0.1>(c)", "Tanh(c)"}) {
    for (const bool masked : {false, true}) {
      Subject s = subject(activation);
      Model corrected = s.model.clone();
      const BiasCorrection done = correct_biases(s.model, s.plan, s.samples, {masked, 1});
      apply_shifts(corrected, s.plan);
      EXPECT_EQ(done.corrected, 2u);
      EXPECT_EQ(done.samples, 4u);
      // What is left comes from rounding activations, which `shifts` leaves out.
      EXPECT_LT(largest(shifts(s, corrected)), 0.2 * largest(shifts(s, s.model)))
          << activation << masked;
    }
  }
}

TEST(ChannelSums, AreThoseOfPlainLoops) {
  for (const Shape& shape : {Shape{2, 5, 7, 9}, Shape{3, 33}, Shape{1, 17, 4, 4}}) {
    const Tensor y = random_tensor(shape, 1), twin = random_tensor(shape, 2);
    const Weighing m{-0.25f, 0.5f, 0.05f};
    const auto channels = static_cast<std::size_t>(shape[1]);
    std::vector<double> shift(channels), weight(channels);
    const std::size_t area = y.data<float>().size() / channels / static_cast<std::size_t>(shape[0]);
    for (std::size_t i = 0; i < y.data<float>().size(); ++i) {
      const float a = y.data<float>()[i], w = a >= m.lo && a <= m.hi ? 1 : m.outside;
      shift[i / area % channels] +=
          static_cast<double>(w) * (static_cast<double>(a) - twin.data<float>()[i]);
      weight[i / area % channels] += w;
    }
    for (const bool last : {false, true}) {
      if (last && shape.size() < 3) continue;
      const ChannelSums sums = last ? channel_sums(to_channels_last(y), to_channels_last(twin), m)
                                    : channel_sums(y, twin, m);
      for (std::size_t c = 0; c < channels; ++c) {
        EXPECT_NEAR(sums.shift[c], shift[c], 1e-9);
        EXPECT_NEAR(sums.weight[c], weight[c], 1e-9);
      }
    }
  }
}

TEST(RoundToCodes, IsWhatTheCodesStandFor) {
  for (const Scheme& scheme : {Scheme{DType::u8, false, false, std::nullopt},
                               Scheme{DType::s8, true, false, std::nullopt}}) {
    const Range range{-0.7f, 0.6f};
    const QParams params = choose_qparams(std::span(&range, 1), scheme);
    Tensor x = random_tensor({1000}, 3, -1, 1);
    const Tensor expected = dequantize(quantize(x, params, scheme), params);
    round_to_codes(x, params, scheme);
    EXPECT_EQ(x.to_vector<float>(), expected.to_vector<float>());
  }
}

TEST(BiasCorrection, DoesNotDependOnThreads) {
  Subject s = subject("Relu(c)");
  Plan one = s.plan, seven = s.plan;
  correct_biases(s.model, one, s.samples, {true, 1});
  correct_biases(s.model, seven, s.samples, {true, 7});
  for (std::size_t i = 0; i < one.nodes.size(); ++i)
    if (one.nodes[i].bias) {
      EXPECT_FALSE(one.nodes[i].bias->shift.empty());
      EXPECT_EQ(one.nodes[i].bias->shift, seven.nodes[i].bias->shift);
    }
}

TEST(BiasCorrection, ShiftsAreKeptInThePlan) {
  Subject s = subject("Relu(c)");
  correct_biases(s.model, s.plan, s.samples, {true, 1});
  const Plan read = plan_from_json(to_json(s.plan), "test");
  Model a = s.model.clone(), b = s.model.clone();
  apply_shifts(a, s.plan);
  apply_shifts(b, read);
  for (const char* name : {"b", "d"}) {
    EXPECT_EQ(a.graph().find(name)->constant().to_vector<float>(),
              b.graph().find(name)->constant().to_vector<float>());
    EXPECT_NE(a.graph().find(name)->constant().to_vector<float>(),
              s.model.graph().find(name)->constant().to_vector<float>());
  }
  s.plan.nodes.front().bias->shift.pop_back();
  EXPECT_THROW(apply_shifts(a, s.plan), Error);
}

TEST(BiasCorrection, LeavesASharedBiasAlone) {
  Model model = parse_model(
      "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,2] x, float[2,2] w, float[2] b)"
      " => (float[1,2] y) { h = Gemm(x, w, b) y = Gemm(h, w, b) }");
  model.graph().find("w")->set_constant(random_tensor({2, 2}, 1, -1, 1));
  model.graph().find("b")->set_constant(random_tensor({2}, 2));
  infer_types(model);
  Plan plan =
      draft(model.graph(), read_target(testing::source_dir() / "configs" / "onnxruntime.json"));
  const std::vector<std::vector<Tensor>> samples = {{random_tensor({1, 2}, 3)}};
  Observations seen;
  Executor(model.graph()).run(samples[0], [&](const Value& v, const Tensor& t) {
    seen.values[v.name()].add(t.data<float>());
  });
  select(plan, model.graph(), seen);
  const BiasCorrection done = correct_biases(model, plan, samples, {true, 1});
  EXPECT_EQ(done.corrected, 0u);
  EXPECT_EQ(done.left_out.size(), 2u);
}

TEST(BiasCorrection, NaNStaysOutOfBiases) {
  Subject s = subject("Relu(c)");
  s.samples[1][0].mutate<float>()[5] = std::nanf("");
  const BiasCorrection done = correct_biases(s.model, s.plan, s.samples, {true, 1});
  EXPECT_EQ(done.corrected + done.left_out.size(), 2u);
  EXPECT_GE(done.left_out.size(), 1u);
  for (const NodePlan& node : s.plan.nodes)
    for (const float v : node.bias ? node.bias->shift : std::vector<float>())
      EXPECT_TRUE(std::isfinite(v));
}

TEST(BiasCorrection, FewerSamplesFitIntoLessMemory) {
  const Subject s = subject("Relu(c)");
  const std::size_t many = samples_that_fit(s.model, s.samples[0], 1 << 20);
  EXPECT_GT(many, 10u);
  EXPECT_LT(many, 200u);
  EXPECT_EQ(samples_that_fit(s.model, s.samples[0], 1), 1u);
}

}  // namespace
}  // namespace intaglio
