// Rounding and bias correction on small networks, where the right answer is known.
#include "calibration/refine/refine_layers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calibration/ranges/select.h"
#include "calibration/refine/channel_sums.h"
#include "lib/exec/executor.h"
#include "lib/exec/infer.h"
#include "lib/quant/array.h"
#include "lib/quant/draft.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::random_tensor;
using testing::TextModel;

struct Subject {
  Model model;
  Plan plan;
  std::vector<std::vector<Tensor>> samples;
};

// With ranges from the samples.
Subject calibrated(Model model, std::vector<std::vector<Tensor>> samples) {
  infer_types(model);
  Target target = read_target(testing::source_dir() / "configs" / "onnxruntime.json");
  target.engine = Engine::pairs;  // the last layer is quantized as well
  Plan plan = draft(model.graph(), target);
  Observations seen;
  const Executor executor(model.graph());
  for (const auto& feeds : samples)
    executor.run(feeds, [&](const Value& v, const Tensor& t) {
      if (t.dtype() == DType::f32) seen.values[v.name()].add(t.data<float>());
    });
  select(plan, model.graph(), seen);
  return {std::move(model), std::move(plan), std::move(samples)};
}

// Two convolutions with a Relu between them, weights of few bits' worth so that means shift.
Subject subject(const std::string& activation) {
  Model model = TextModel().model(
      "(float[1,3,8,8] x, float[8,3,3,3] w, float[8] b, float[4,8,1,1] v, float[4] d) => (float[] "
      "y) { c = Conv<pads=[1,1,1,1]>(x, w, b) r = " +
      activation + " y = Conv(r, v, d) }");
  Graph& g = model.graph();
  g.find("w")->set_constant(random_tensor({8, 3, 3, 3}, 1, -1, 1));
  g.find("b")->set_constant(random_tensor({8}, 2, -0.5f, 0.5f));
  g.find("v")->set_constant(random_tensor({4, 8, 1, 1}, 3, -1, 1));
  g.find("d")->set_constant(random_tensor({4}, 4, -0.5f, 0.5f));
  std::vector<std::vector<Tensor>> samples;
  for (unsigned i = 0; i < 4; ++i) samples.push_back({random_tensor({1, 3, 8, 8}, 10 + i, 0, 1)});
  Subject s = calibrated(std::move(model), std::move(samples));
  for (NodePlan& node : s.plan.nodes)  // a coarse weight scale: much of the error is a shift
    for (ConstantPlan& c : node.constants)
      for (float& scale : c.params.scale) scale *= 24;
  return s;
}

Samples source(const std::vector<std::vector<Tensor>>& samples) {
  return {samples.size(), [&samples](std::size_t i) { return samples[i]; }};
}

RefineLayersOptions options(bool rounding, bool bias, std::size_t threads = 1) {
  RefineLayersOptions o{.rounding = rounding, .bias = bias};
  o.pair.threads = threads;
  return o;
}

BiasCorrection correct(Subject& s, std::size_t threads = 1) {
  return refine_layers(s.model, s.plan, source(s.samples), options(false, true, threads)).bias;
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
    Subject s = subject(activation);
    Model corrected = s.model.clone();
    EXPECT_EQ(correct(s).corrected, 2u);
    apply_shifts(corrected, s.plan);
    // What is left comes from rounding activations, which `shifts` leaves out.
    EXPECT_LT(largest(shifts(s, corrected)), 0.2 * largest(shifts(s, s.model))) << activation;
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
  Subject other = subject("Relu(c)");
  correct(s, 1);
  correct(other, 7);
  const Plan &one = s.plan, &seven = other.plan;
  for (std::size_t i = 0; i < one.nodes.size(); ++i)
    if (one.nodes[i].bias) {
      EXPECT_FALSE(one.nodes[i].bias->shift.empty());
      EXPECT_EQ(one.nodes[i].bias->shift, seven.nodes[i].bias->shift);
    }
}

TEST(BiasCorrection, WhatSamplesDoNotAgreeOnIsLeftOut) {
  const Subject all = subject("Tanh(c)");  // every position counts alike
  const auto shift_from = [&](std::vector<std::size_t> chosen) {
    Subject s = subject("Tanh(c)");
    s.samples.clear();
    for (const std::size_t i : chosen) s.samples.push_back(all.samples[i]);
    correct(s);
    return s.plan.nodes[0].bias->shift;
  };
  const auto first = shift_from({0}), second = shift_from({1}), both = shift_from({0, 1});
  EXPECT_EQ(shift_from({0, 0, 0}), first) << "no doubt";
  for (std::size_t c = 0; c < 8; ++c) {
    const double mean = (static_cast<double>(first[c]) + static_cast<double>(second[c])) / 2;
    const double error = (static_cast<double>(first[c]) - static_cast<double>(second[c])) / 2;
    EXPECT_NEAR(both[c], mean * mean * mean / (mean * mean + error * error), 1e-6);
  }
}

TEST(BiasCorrection, ShiftsAreKeptInThePlan) {
  Subject s = subject("Relu(c)");
  correct(s);
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
  Model model = TextModel().model(
      "(float[1,2] x, float[2,2] w, float[2] b) => (float[1,2] y) { h = Gemm(x, w, b) y = Gemm(h, "
      "w, b) }");
  model.graph().find("w")->set_constant(random_tensor({2, 2}, 1, -1, 1));
  model.graph().find("b")->set_constant(random_tensor({2}, 2));
  Subject s = calibrated(std::move(model), {{random_tensor({1, 2}, 3)}});
  const BiasCorrection done =
      refine_layers(s.model, s.plan, source(s.samples), options(false, true)).bias;
  EXPECT_EQ(done.corrected, 0u);
  EXPECT_EQ(done.left_out.size(), 2u);
}

TEST(BiasCorrection, NaNStaysOutOfBiases) {
  Subject s = subject("Relu(c)");
  s.samples[1][0].mutate<float>()[5] = std::nanf("");
  const BiasCorrection done = correct(s);
  EXPECT_EQ(done.corrected + done.left_out.size(), 2u);
  EXPECT_GE(done.left_out.size(), 1u);
  for (const NodePlan& node : s.plan.nodes)
    for (const float v : node.bias ? node.bias->shift : std::vector<float>())
      EXPECT_TRUE(std::isfinite(v));
}

// --- Lockstep ---

// A wide layer in front of a narrow one.
Subject funnel() {
  Subject s = subject("MaxPool<kernel_shape=[8,8]>(c)");
  s.samples.clear();
  for (unsigned i = 0; i < 40; ++i)
    s.samples.push_back({random_tensor({1, 3, 8, 8}, 50 + i, 0, 1)});
  return s;
}

std::vector<std::size_t> samples_by_step(const Subject& s, std::uint64_t memory) {
  const Samples samples = source(s.samples);
  Lockstep pair(s.model, s.plan, samples, {.memory = memory, .most_samples = 30});
  std::vector<std::size_t> counts;
  pair.run([&](std::size_t) { counts.push_back(pair.samples()); }, [](std::size_t) {});
  return counts;
}

TEST(Lockstep, SamplesJoinWhenThereIsRoom) {
  const Subject s = funnel();
  const auto little = samples_by_step(s, 1), some = samples_by_step(s, 64 << 10),
             much = samples_by_step(s, 1 << 30);
  EXPECT_EQ(little, (std::vector<std::size_t>(little.size(), 1)));
  EXPECT_EQ(much, (std::vector<std::size_t>(much.size(), 30)));
  EXPECT_TRUE(std::is_sorted(some.begin(), some.end()));
  EXPECT_LT(some.front(), some.back());
}

TEST(Lockstep, SamplesThatJoinLateSeeWhatWasDoneBefore) {
  Subject s = funnel();
  const Tensor only = s.samples[0][0];
  for (auto& feeds : s.samples) feeds[0] = only;  // however many: the means are those of one
  std::vector<std::vector<float>> found;
  for (const std::uint64_t memory : {std::uint64_t{64} << 10, std::uint64_t{1} << 30}) {
    Plan plan = s.plan;
    RefineLayersOptions o = options(false, true);
    o.pair.memory = memory;
    refine_layers(s.model, plan, source(s.samples), o);
    found.push_back(plan.nodes.back().bias->shift);
  }
  ASSERT_EQ(found[0].size(), found[1].size());
  for (std::size_t c = 0; c < found[0].size(); ++c) EXPECT_NEAR(found[0][c], found[1][c], 1e-6);
}

TEST(Lockstep, BadSamplesAreLeftOut) {
  Subject s = subject("Relu(c)");
  const Samples holes{12, [&](std::size_t i) -> std::optional<std::vector<Tensor>> {
                        if (i % 3 != 0) return std::nullopt;
                        return s.samples[i / 3];
                      }};
  EXPECT_EQ(refine_layers(s.model, s.plan, holes, options(false, true)).samples, 4u);
  const Samples none{2, [](std::size_t) { return std::nullopt; }};
  EXPECT_THROW(refine_layers(s.model, s.plan, none, options(false, true)), Error);
}

// --- Rounding ---

// Sum of squared errors of the output of the network with its weights at their codes.
double squared_error(const Subject& s, const Model& rounded) {
  const Executor reference(s.model.graph()), quantized(rounded.graph());
  double sum = 0;
  for (const auto& feeds : s.samples) {
    const Tensor y = reference.run(feeds)[0], q = quantized.run(feeds)[0];
    for (std::size_t i = 0; i < y.data<float>().size(); ++i)
      sum += std::pow(
          static_cast<double>(y.data<float>()[i]) - static_cast<double>(q.data<float>()[i]), 2);
  }
  return sum;
}

Model with_nearest_codes(const Subject& s) {
  Model model = s.model.clone();
  for (const NodePlan& node : s.plan.nodes)
    for (const ConstantPlan& c : node.constants) {
      Value& value = *model.graph().find(c.name);
      value.set_constant(dequantize(quantize(value.constant(), c.params, c.scheme), c.params));
    }
  return model;
}

TEST(WeightRounding, MakesUpForErrors) {
  Subject s = subject("Relu(c)");
  for (unsigned i = 4; i < 24; ++i)
    s.samples.push_back({random_tensor({1, 3, 8, 8}, 10 + i, 0, 1)});
  Model rounded = s.model.clone();
  const RefinedLayers done = refine_layers(s.model, s.plan, source(s.samples), options(true, true));
  EXPECT_EQ(done.rounding.layers, 2u);
  EXPECT_TRUE(done.rounding.left_out.empty());
  EXPECT_LT(done.rounding.error_ratio, 0.95);
  apply_codes(rounded, s.plan);
  apply_shifts(rounded, s.plan);
  Subject nearest = subject("Relu(c)");
  nearest.samples = s.samples;
  correct(nearest);
  Model with_bias = with_nearest_codes(nearest);
  apply_shifts(with_bias, nearest.plan);
  EXPECT_LT(squared_error(s, rounded), squared_error(s, with_bias));
}

TEST(WeightRounding, CodesAreKeptInThePlan) {
  Subject s = subject("Relu(c)");
  refine_layers(s.model, s.plan, source(s.samples), options(true, false, 7));
  const Plan read = plan_from_json(to_json(s.plan), "test");
  Model a = s.model.clone(), b = s.model.clone();
  apply_codes(a, s.plan);
  apply_codes(b, read);
  for (const char* name : {"w", "v"}) {
    EXPECT_EQ(a.graph().find(name)->constant().to_vector<float>(),
              b.graph().find(name)->constant().to_vector<float>());
    EXPECT_NE(a.graph().find(name)->constant().to_vector<float>(),
              with_nearest_codes(s).graph().find(name)->constant().to_vector<float>());
  }
  // The nearest codes of these weights are the chosen ones: that is how they reach the file.
  for (const NodePlan& node : s.plan.nodes)
    for (const ConstantPlan& c : node.constants)
      EXPECT_EQ(quantize(a.graph().find(c.name)->constant(), c.params, c.scheme).to_vector<int>(),
                c.codes.to_vector<int>());
  s.plan.nodes[0].constants[0].codes = Tensor(DType::s8, {1});
  EXPECT_THROW(apply_codes(a, s.plan), Error);
  Json damaged = to_json(read);
  damaged["nodes"][0]["constants"][0]["codes"]["hex"] = "00";
  EXPECT_THROW(plan_from_json(damaged, "test"), Error);
}

TEST(WeightRounding, DoesNotDependOnThreads) {
  std::vector<Json> plans;
  for (const std::size_t threads : {1, 2, 7}) {
    Subject s = subject("Relu(c)");
    refine_layers(s.model, s.plan, source(s.samples), options(true, true, threads));
    plans.push_back(to_json(s.plan));
  }
  EXPECT_EQ(plans[0], plans[1]);
  EXPECT_EQ(plans[0], plans[2]);
}

TEST(WeightRounding, ReachesAMatMulOfUnknownRankAndLeavesConstantOperandsAlone) {
  Model model = TextModel().model(
      "(float[4,6] x, float[6,5] w, float[5] b, int64[s] shape) => (float[] y) { r = Reshape(x, "
      "shape) h = MatMul(r, w) y = Add(h, b) }");
  model.graph().find("w")->set_constant(random_tensor({6, 5}, 1, -1, 1));
  model.graph().find("b")->set_constant(random_tensor({5}, 2));
  std::vector<std::vector<Tensor>> samples;
  for (unsigned i = 0; i < 9; ++i)
    samples.push_back({random_tensor({4, 6}, 3 + i), Tensor::vector<std::int64_t>({2, 2, 6})});
  Subject s = calibrated(std::move(model), std::move(samples));
  ASSERT_EQ(s.model.graph().find("r")->rank(), -1);
  const RefinedLayers done = refine_layers(s.model, s.plan, source(s.samples), options(true, true));
  EXPECT_EQ(done.rounding.layers, 1u);
  EXPECT_TRUE(done.rounding.left_out.empty());
}

TEST(WeightRounding, LeavesSharedWeightsAtTheNearest) {
  Model model = TextModel().model(
      "(float[1,2] x, float[2,2] w) => (float[1,2] y) { h = MatMul(x, w) y = MatMul(h, w) }");
  model.graph().find("w")->set_constant(random_tensor({2, 2}, 1, -1, 1));
  Subject s = calibrated(std::move(model), {{random_tensor({1, 2}, 3)}});
  const RefinedLayers done =
      refine_layers(s.model, s.plan, source(s.samples), options(true, false));
  EXPECT_EQ(done.rounding.layers, 0u);
  EXPECT_FALSE(done.rounding.left_out.empty());
}

}  // namespace
}  // namespace intaglio
