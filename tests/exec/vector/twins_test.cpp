// Every fast kernel against its slow twin, on random shapes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "lib/base/parallel.h"
#include "lib/base/team.h"
#include "lib/exec/executor.h"
#include "lib/exec/infer.h"
#include "lib/exec/profile.h"
#include "tests/exec/core/draw.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using namespace intaglio::testing;

// The registry without the fast kernels, or without those of the implementations named.
Registry without(std::span<const std::string_view> impls) {
  Registry result;
  for (const KernelDef& def : default_registry().all())
    if (std::ranges::find(impls, def.impl) == impls.end()) result.add(def);
  return result;
}

const Registry& references() {
  static const Registry registry =
      without(std::array<std::string_view, 4>{"vector", "product", "winograd", "onednn"});
  return registry;
}
const Registry& onednn_alone() {
  static const Registry registry =
      without(std::array<std::string_view, 3>{"vector", "product", "winograd"});
  return registry;
}

// Runs the graph with a registry and nothing observed; impls: the kernels that ran.
std::vector<Tensor> outputs_of(const Model& model, const Registry& registry,
                               std::span<const Tensor> feeds, std::string* impls = nullptr) {
  CompileOptions options = CompileOptions::nothing_observed();
  options.registry = &registry;
  const Executor executor(model.graph(), options);
  Profile profile;
  auto outputs = executor.run(feeds, {}, &profile);
  if (impls != nullptr)
    for (const StepProfile& s : profile.steps) {
      *impls += fmt::format("{}:{}", s.step->node->op(), s.step->def->impl);
      for (const Node* node : s.step->fused) *impls += "+" + node->op();
      *impls += " ";
    }
  return outputs;
}

void expect_close(const Tensor& actual, const Tensor& expected, const std::string& what) {
  ASSERT_EQ(actual.shape(), expected.shape()) << what;
  const auto a = actual.to_vector<float>(), e = expected.to_vector<float>();
  float most = 1e-3f;
  for (const float v : e) most = std::max(most, std::abs(v));
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], e[i], 2e-5f * most) << what << " at " << i;
}

Model parse(const std::string& graph) { return TextModel().opset(14).model(graph); }

struct ConvCase {
  std::int64_t channels, filters, group, kernel, stride, dilation, pad, other_pad, height, width,
      batch;
  std::string text() const {
    return fmt::format(
        "{}x{}x{}x{} with {} filters of {} in {} groups, stride {}, dilation {}, pads {} {}", batch,
        channels, height, width, filters, kernel, group, stride, dilation, pad, other_pad);
  }
};

ConvCase draw_conv(Draw& draw, bool depthwise) {
  ConvCase c{};
  c.channels = draw.one_of({1, 3, 5, 8, 16, 17, 24, 32, 40, 65});
  c.group = depthwise ? c.channels : draw.between(0, 3) == 0 ? c.channels : 1;
  c.filters = depthwise ? c.channels : c.group * draw.one_of({1, 2, 4});
  if (!depthwise && c.group == 1) c.filters = draw.one_of({1, 4, 15, 16, 17, 24, 33, 48, 64, 100});
  c.kernel = draw.one_of({1, 1, 2, 3, 3, 5, 7});
  c.stride = draw.one_of({1, 1, 2, 3});
  c.dilation = draw.one_of({1, 1, 1, 2});
  c.pad = draw.between(0, c.kernel);
  c.other_pad = draw.between(0, c.kernel);
  const std::int64_t extent = (c.kernel - 1) * c.dilation + 1;
  c.height = extent + draw.between(0, 9);
  c.width = extent + draw.between(0, 30);
  c.batch = draw.one_of({1, 1, 2});
  return c;
}

// y = ending(Conv(x)), where the ending is a few nodes that read `c` and make `y`.
Model conv_model(const ConvCase& c, const std::string& ending) {
  const std::string shape = fmt::format("{},{},{},{}", c.batch, c.channels, c.height, c.width);
  const std::string w =
      fmt::format("{},{},{},{}", c.filters, c.channels / c.group, c.kernel, c.kernel);
  Model model = parse(
      fmt::format("(float[{0}] x, float[{1}] w, float[{2}] b) => (float[] y) {{"
                  " c = Conv<group={3}, strides=[{4},{4}], dilations=[{5},{5}], "
                  "pads=[{6},{7},{7},{6}]>(x, w, b) {8} }}",
                  shape, w, c.filters, c.group, c.stride, c.dilation, c.pad, c.other_pad, ending));
  Graph& graph = model.graph();
  const Shape filters{c.filters, c.channels / c.group, c.kernel, c.kernel};
  const float scale = 1 / std::sqrt(static_cast<float>(product(filters, 1, 4)));  // sums of about 1
  graph.find("w")->set_constant(random_tensor(filters, 2, -scale, scale));
  graph.find("b")->set_constant(random_tensor({c.filters}, 3));
  infer_types(model);
  return model;
}

const std::vector<std::string>& endings() {
  static const std::vector<std::string> list = {
      "y = Identity(c)",
      "y = Relu(c)",
      "y = LeakyRelu<alpha=0.1>(c)",
      "s = Sigmoid(c) y = Mul(c, s)",
      "s = HardSigmoid<alpha=0.1666667, beta=0.5>(c) y = Mul(s, c)",
      "y = HardSwish(c)",
      "y = Tanh(c)",
      "r = Relu(c) d = Neg(r) y = Add(r, d)",
  };
  return list;
}

void compare_conv(bool depthwise, unsigned seed, int rounds) {
  Draw draw(seed);
  for (int round = 0; round < rounds; ++round) {
    const ConvCase c = draw_conv(draw, depthwise);
    const std::string ending = endings()[static_cast<std::size_t>(round) % endings().size()];
    const Model model = conv_model(c, ending);
    const std::vector feeds = {random_tensor({c.batch, c.channels, c.height, c.width})};
    const Tensor expected = outputs_of(model, references(), feeds)[0];
    for (const Registry* registry : {&default_registry(), &onednn_alone()}) {
      std::string impls;
      const Tensor actual = outputs_of(model, *registry, feeds, &impls)[0];
      expect_close(actual, expected, c.text() + ", " + ending + ": " + impls);
    }
  }
}

TEST(Twins, Conv) { compare_conv(false, 1, 160); }
TEST(Twins, DepthwiseConv) { compare_conv(true, 2, 120); }

// x -> Conv -> Relu -> Conv -> Add of the Relu: the addition becomes part of the second
// convolution.
TEST(Twins, ResidualAdd) {
  for (const std::int64_t channels : {8, 16, 24, 40}) {
    Model model =
        parse(fmt::format("(float[1,{0},9,13] x, float[{0},{0},3,3] v, float[{0},{0},1,1] w, "
                          "float[{0},1,3,3] d) => (float[] y) {{"
                          " a = Conv<pads=[1,1,1,1]>(x, v) r = Relu(a) b = Conv(r, w) s = Add(r, b)"
                          " e = Conv<group={0}, pads=[1,1,1,1]>(s, d) y = Add(e, s) }}",
                          channels));
    model.graph().find("v")->set_constant(random_tensor({channels, channels, 3, 3}));
    model.graph().find("w")->set_constant(random_tensor({channels, channels, 1, 1}));
    model.graph().find("d")->set_constant(random_tensor({channels, 1, 3, 3}));
    infer_types(model);
    const std::vector feeds = {random_tensor({1, channels, 9, 13})};
    std::string impls;
    const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
    EXPECT_EQ(std::ranges::count(impls, ' '), 3) << impls;  // three steps: both additions are fused
    expect_close(actual, outputs_of(model, references(), feeds)[0], impls);
    expect_close(outputs_of(model, onednn_alone(), feeds)[0],
                 outputs_of(model, references(), feeds)[0], "onednn");
  }
}

// A pointwise convolution and the depthwise one behind it run band by band; the images are larger
// than one band.
TEST(Twins, ExpandThenDepthwise) {
  for (const std::int64_t stride : {1, 2, 3})
    for (const std::int64_t kernel : {3, 5})
      for (const std::int64_t pad : {0, 1, 2}) {
        Model model = parse(fmt::format(
            "(float[2,10,61,75] x, float[40,10,1,1] v, float[40,1,{0},{0}] w) => (float[] y) {{"
            " a = Conv(x, v) r = Relu(a)"
            " b = Conv<group=40, strides=[{1},{1}], pads=[{2},{2},1,1]>(r, w)"
            " s = Sigmoid(b) y = Mul(b, s) }}",
            kernel, stride, pad));
        model.graph().find("v")->set_constant(random_tensor({40, 10, 1, 1}, 8));
        model.graph().find("w")->set_constant(random_tensor({40, 1, kernel, kernel}, 9));
        infer_types(model);
        const std::vector feeds = {random_tensor({2, 10, 61, 75})};
        std::string impls;
        const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
        EXPECT_EQ(std::ranges::count(impls, ' '), 1) << impls;  // one step
        expect_close(actual, outputs_of(model, references(), feeds)[0], impls);
      }
}

TEST(Twins, ConcatIsMadeInPlace) {
  Model model = parse(
      "(float[2,6,7,9] x, float[20,6,1,1] v, float[12,6,3,3] w) => (float[] y) {"
      " a = Conv(x, v) r = Relu(a) b = Conv<pads=[1,1,1,1]>(x, w) s = Sigmoid(b) m = Mul(b, s)"
      " c = Concat<axis=1>(r, m) y = Neg(c) }");
  model.graph().find("v")->set_constant(random_tensor({20, 6, 1, 1}));
  model.graph().find("w")->set_constant(random_tensor({12, 6, 3, 3}));
  infer_types(model);
  const std::vector feeds = {random_tensor({2, 6, 7, 9})};
  std::string impls;
  const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
  EXPECT_EQ(impls.find("Concat"), std::string::npos) << impls;
  expect_close(actual, outputs_of(model, references(), feeds)[0], impls);
}

// Channels-last inputs come from a 1x1 convolution; what follows it is compared.
void compare_behind_conv(const std::string& nodes, std::int64_t channels, std::int64_t height,
                         std::int64_t width) {
  Model model = parse(fmt::format(
      "(float[1,{0},{1},{2}] x, float[{0},{0},1,1] w) => (float[] y) {{ a = Conv(x, w) {3} }}",
      channels, height, width, nodes));
  model.graph().find("w")->set_constant(random_tensor({channels, channels, 1, 1}));
  infer_types(model);
  const std::vector feeds = {random_tensor({1, channels, height, width})};
  std::string impls;
  const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
  expect_close(actual, outputs_of(model, references(), feeds)[0], nodes + ": " + impls);
}

TEST(Twins, WhatFollowsAConvolution) {
  const std::vector<std::string> cases = {
      "y = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]>(a)",
      "y = MaxPool<kernel_shape=[2,3], dilations=[2,1]>(a)",
      "y = AveragePool<kernel_shape=[3,3], strides=[2,1], pads=[1,0,1,2]>(a)",
      "y = AveragePool<kernel_shape=[3,2], pads=[1,1,1,1], count_include_pad=1>(a)",
      "y = AveragePool<kernel_shape=[3,3], strides=[2,2], ceil_mode=1>(a)",
      "y = GlobalAveragePool(a)",
      "y = Transpose<perm=[0,2,3,1]>(a)",
      "y = Transpose<perm=[3,1,0,2]>(a)",
      "t = Transpose<perm=[0,2,3,1]>(a) u = Neg(t) y = Transpose<perm=[0,3,1,2]>(u)",
      "s = Sigmoid(a) n = Neg(a) y = Concat<axis=1>(s, n)",
      "s = Sigmoid(a) n = Neg(a) y = Concat<axis=2>(s, n)",
      "g = GlobalAveragePool(a) y = Mul(a, g)",
      "n = Neg(a) y = Div(n, a)",
      "y = Sub(x, a)",
      "y = Softmax<axis=1>(a)",
      "f = Flatten(a) y = Neg(f)",
  };
  for (const std::string& nodes : cases)
    for (const std::int64_t channels : {3, 16, 21}) compare_behind_conv(nodes, channels, 8, 11);
}

// A fast kernel for other types must not take the place of the one for floats.
TEST(Twins, PoolsOfFloatsAreFast) {
  for (const std::string op : {"MaxPool", "AveragePool"}) {
    const Model model = parse("(float[1,16,8,8] x) => (float[1,16,7,7] y) { y = " + op +
                              "<kernel_shape=[2,2]>(x) }");
    EXPECT_EQ(default_registry().select(*model.graph().nodes().front()).impl, "vector");
  }
}

TEST(Twins, Activations) {
  for (const char* op : {"Relu", "LeakyRelu", "HardSwish", "Sigmoid", "Tanh", "Erf"}) {
    const Model model = parse(fmt::format("(float[777] x) => (float[777] y) {{ y = {}(x) }}", op));
    Tensor x = random_tensor({777});
    for (float& v : x.mutate<float>()) v *= 12;
    const std::vector feeds = {x};
    const auto actual = outputs_of(model, default_registry(), feeds)[0].to_vector<float>();
    const auto expected = outputs_of(model, references(), feeds)[0].to_vector<float>();
    for (std::size_t i = 0; i < actual.size(); ++i)
      EXPECT_NEAR(actual[i], expected[i], 4e-7f * std::max(1.0f, std::abs(expected[i])))
          << op << " at " << i;
  }
}

// Near zero the error of erf is small against the value.
TEST(Twins, ErfOfSmallValues) {
  const Model model = parse("(float[777] x) => (float[777] y) { y = Erf(x) }");
  Tensor x = random_tensor({777});
  for (float& v : x.mutate<float>()) v *= 1e-3f;
  const std::vector feeds = {x};
  const auto actual = outputs_of(model, default_registry(), feeds)[0].to_vector<float>();
  const auto expected = outputs_of(model, references(), feeds)[0].to_vector<float>();
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], 3e-7f * std::abs(expected[i])) << "at " << i;
}

TEST(Twins, Softmax) {
  for (const std::int64_t length : {1, 2, 15, 16, 17, 64, 1000})
    for (const char* axis : {"1", "2"})
      for (const int opset : {12, 14}) {
        const Model model = TextModel().opset(opset).typed(fmt::format(
            "(float[3,5,{}] x) => (float[] y) {{ y = Softmax<axis={}>(x) }}", length, axis));
        Tensor x = random_tensor({3, 5, length});
        for (float& v : x.mutate<float>()) v *= 30;
        const std::vector feeds = {x};
        std::string impls;
        const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
        EXPECT_EQ(impls, "Softmax:vector ");
        expect_close(actual, outputs_of(model, references(), feeds)[0],
                     fmt::format("{} values, axis {}, opset {}", length, axis, opset));
      }
}

// What cannot be normalized is no number in either kernel.
TEST(Twins, SoftmaxOfInfiniteValues) {
  const Model model = parse("(float[3,20] x) => (float[3,20] y) { y = Softmax<axis=1>(x) }");
  Tensor x = random_tensor({3, 20});
  const auto values = x.mutate<float>();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  values[3] = -infinity;  // 0
  values[25] = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 40; i < 60; ++i) values[i] = -infinity;
  const std::vector feeds = {x};
  const auto actual = outputs_of(model, default_registry(), feeds)[0].to_vector<float>();
  const auto expected = outputs_of(model, references(), feeds)[0].to_vector<float>();
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(actual[i], expected[i], 1e-6f);
  EXPECT_EQ(actual[3], 0);
  for (std::size_t i = 20; i < 60; ++i) EXPECT_TRUE(std::isnan(actual[i])) << i;
}

TEST(Twins, MatMulOfTwoValues) {
  Draw draw(11);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t m = draw.between(1, 30), k = draw.between(1, 40), n = draw.between(1, 70);
    const std::int64_t batch = draw.between(1, 3);
    const Model model = parse(fmt::format(
        "(float[{0},2,{1},{2}] a, float[2,{2},{3}] b) => (float[] y) {{ y = MatMul(a, b) }}", batch,
        m, k, n));
    const std::vector feeds = {random_tensor({batch, 2, m, k}), random_tensor({2, k, n}, 3)};
    std::string impls;
    const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
    EXPECT_EQ(impls, "MatMul:vector ");
    expect_close(actual, outputs_of(model, references(), feeds)[0],
                 fmt::format("{} x {} x {}", m, k, n));
  }
}

TEST(Twins, ConvTranspose) {
  Draw draw(12);
  for (int round = 0; round < 80; ++round) {
    const std::int64_t channels = draw.between(1, 20), filters = draw.one_of({1, 3, 8, 16, 21});
    const std::int64_t kernel = draw.between(1, 4), stride = draw.between(1, 3);
    const std::int64_t dilation = draw.one_of({1, 1, 2}), pad = draw.between(0, kernel - 1);
    const std::int64_t other = draw.between(0, kernel - 1), extra = draw.between(0, stride - 1);
    const std::int64_t height = draw.between(3, 9), width = draw.between(3, 20);
    const std::string ending = endings()[static_cast<std::size_t>(round) % endings().size()];
    Model model = parse(fmt::format(
        "(float[2,{0},{1},{2}] x, float[{0},{3},{4},{4}] w, float[{3}] b) => (float[] y) {{"
        " c = ConvTranspose<strides=[{5},{5}], dilations=[{6},{6}], pads=[{7},{8},{8},{7}], "
        "output_padding=[{9},{9}]>(x, w, b) {10} }}",
        channels, height, width, filters, kernel, stride, dilation, pad, other, extra, ending));
    model.graph().find("w")->set_constant(random_tensor({channels, filters, kernel, kernel}, 5));
    model.graph().find("b")->set_constant(random_tensor({filters}, 6));
    infer_types(model);
    const std::vector feeds = {random_tensor({2, channels, height, width})};
    std::string impls;
    const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
    EXPECT_TRUE(impls.starts_with("ConvTranspose:vector")) << impls;
    expect_close(actual, outputs_of(model, references(), feeds)[0],
                 fmt::format("round {}: kernel {}, stride {}, dilation {}, pads {} {}, {}", round,
                             kernel, stride, dilation, pad, other, ending));
  }
}

TEST(Twins, GemmAndMatMul) {
  const std::vector<std::string> nodes = {
      "y = MatMul(x, w)",
      "m = MatMul(x, w) y = Relu(m)",
      "m = MatMul(x, w) g = Tanh(m) n = MatMul(x, w) y = Add(n, g)",
      "y = Gemm(x, w, b)",
      "y = Gemm<alpha=0.5, beta=2.0>(x, w, b)",
      "g = Gemm(x, w, b) y = LeakyRelu<alpha=0.2>(g)",
      "y = Gemm<transB=1>(x, v, b)",
  };
  for (const std::string& body : nodes)
    for (const std::int64_t rows : {1, 3, 12, 29})
      for (const std::int64_t columns : {1, 15, 16, 40, 70}) {
        Model model =
            parse(fmt::format("(float[{0},37] x, float[37,{1}] w, float[{1},37] v, float[{1}] b) "
                              "=> (float[] y) {{ {2} }}",
                              rows, columns, body));
        model.graph().find("w")->set_constant(random_tensor({37, columns}, 4));
        model.graph().find("v")->set_constant(random_tensor({columns, 37}, 5));
        model.graph().find("b")->set_constant(random_tensor({columns}, 6));
        infer_types(model);
        const std::vector feeds = {random_tensor({rows, 37})};
        std::string impls;
        const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
        expect_close(actual, outputs_of(model, references(), feeds)[0], body + ": " + impls);
      }
}

TEST(Twins, TheSameBytesInEveryRunAndFromEveryThread) {
  const ConvCase c{24, 40, 1, 3, 1, 1, 1, 1, 17, 19, 1};
  const Model model = conv_model(c, "s = Sigmoid(c) y = Mul(c, s)");
  const Executor executor(model.graph(), CompileOptions::nothing_observed());
  const std::vector feeds = {random_tensor({1, 24, 17, 19})};
  const auto first = executor.run(feeds)[0].to_vector<float>();
  std::vector<int> same(8);
  parallel_for(same.size(), 4, [&](std::size_t, std::size_t i) {
    same[i] = executor.run(feeds)[0].to_vector<float>() == first;
  });
  for (const int s : same) EXPECT_EQ(s, 1);
}

// Threads that share the loops inside kernels change no bit.
TEST(Twins, TheSameBytesFromATeam) {
  const std::vector<ConvCase> cases = {
      {24, 40, 1, 3, 1, 1, 1, 1, 57, 61, 1},   // minimal filtering, many tiles
      {64, 192, 1, 3, 1, 1, 1, 1, 13, 13, 2},  // the same, one block
      {20, 70, 1, 3, 2, 1, 1, 0, 75, 81, 2},   // windows
      {40, 100, 1, 1, 1, 1, 0, 0, 49, 51, 1},  // pixels
      {48, 48, 48, 5, 1, 1, 2, 2, 60, 44, 1},  // depthwise
      {48, 48, 48, 3, 2, 2, 2, 1, 60, 44, 1},  // depthwise, holes
  };
  for (const ConvCase& c : cases)
    for (const std::string& ending : endings()) {
      const Model model = conv_model(c, ending);
      const Executor executor(model.graph(), CompileOptions::nothing_observed());
      const std::vector feeds = {random_tensor({c.batch, c.channels, c.height, c.width})};
      const auto alone = executor.run(feeds)[0].to_vector<float>();
      Team team(3);
      const Team::Use use(team);
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(executor.run(feeds)[0].to_vector<float>(), alone) << c.text() << ", " << ending;
    }
}

TEST(Twins, TheSameBytesFromATeamInBands) {
  Model model = parse(
      "(float[1,16,61,75] x, float[96,16,1,1] v, float[96,1,3,3] w) => (float[] y) {"
      " a = Conv(x, v) r = Relu(a) b = Conv<group=96, strides=[2,2], pads=[1,1,1,1]>(r, w)"
      " s = Sigmoid(b) y = Mul(b, s) }");
  model.graph().find("v")->set_constant(random_tensor({96, 16, 1, 1}, 8));
  model.graph().find("w")->set_constant(random_tensor({96, 1, 3, 3}, 9));
  infer_types(model);
  const Executor executor(model.graph(), CompileOptions::nothing_observed());
  const std::vector feeds = {random_tensor({1, 16, 61, 75})};
  const auto alone = executor.run(feeds)[0].to_vector<float>();
  Team team(4);
  const Team::Use use(team);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(executor.run(feeds)[0].to_vector<float>(), alone);
}

// --- Attention and weights in codes ---

struct AttentionCase {
  std::int64_t heads, groups, queries, keys, depth, wide;
  bool causal;
  int mask;  // 0: none, 1: numbers, 2: flags, 3: lowered by a bound that only just hides
  float softcap;
  std::string text() const {
    return fmt::format(
        "{} of {} heads, {} queries, {} keys, {} and {} deep, causal {}, mask {}, cap {}", heads,
        groups, queries, keys, depth, wide, causal, mask, softcap);
  }
};

Tensor mask_of(Draw& draw, const AttentionCase& c) {
  const Shape shape{c.queries, c.keys};
  if (c.mask == 1) return random_tensor(shape, 7, -3, 3);
  Tensor t(c.mask == 2 ? DType::boolean : DType::f32, shape);
  const std::int64_t none = draw.between(0, c.queries - 1);  // sees nothing
  for (std::int64_t i = 0; i < t.size(); ++i) {
    const bool seen = draw.between(0, 3) > 0 && i / c.keys != none;
    if (c.mask == 2)
      t.mutate<bool>()[static_cast<std::size_t>(i)] = seen;
    else
      t.mutate<float>()[static_cast<std::size_t>(i)] = seen ? 0.0f : -3.4028235e38f;
  }
  return t;
}

TEST(Twins, Attention) {
  Draw draw(21);
  for (int round = 0; round < 120; ++round) {
    AttentionCase c{};
    c.groups = draw.between(1, 3);
    c.heads = c.groups * draw.one_of({1, 2, 3});
    c.queries = draw.one_of({1, 2, 3, 4, 12, 13, 40, 70});
    c.keys = draw.one_of({1, 5, 16, 31, 32, 33, 70, 150});
    c.depth = draw.one_of({1, 8, 16, 20, 64});
    c.wide = draw.one_of({1, 15, 16, 33, 64, 80});
    c.causal = draw.between(0, 1) == 1;
    c.mask = static_cast<int>(draw.between(0, 3));
    c.softcap = draw.between(0, 2) == 0 ? 2.0f : 0.0f;
    const Model model = TextModel().opset(23).typed(fmt::format(
        "(float[2,{0},{1},{2}] q, float[2,{3},{4},{2}] k, float[2,{3},{4},{5}] v{6}) => (float[] y)"
        " {{ y = Attention<is_causal={7}, softcap={8}>(q, k, v{9}) }}",
        c.heads, c.queries, c.depth, c.groups, c.keys, c.wide,
        c.mask == 0   ? ""
        : c.mask == 2 ? fmt::format(", bool[{},{}] m", c.queries, c.keys)
                      : fmt::format(", float[{},{}] m", c.queries, c.keys),
        c.causal ? 1 : 0, c.softcap > 0 ? "2.0" : "0.0", c.mask == 0 ? "" : ", m"));
    std::vector feeds = {random_tensor({2, c.heads, c.queries, c.depth}, 1, -2, 2),
                         random_tensor({2, c.groups, c.keys, c.depth}, 2, -2, 2),
                         random_tensor({2, c.groups, c.keys, c.wide}, 3)};
    if (c.mask != 0) feeds.push_back(mask_of(draw, c));
    std::string impls;
    const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
    EXPECT_EQ(impls, "Attention:vector ");
    expect_close(actual, outputs_of(model, references(), feeds)[0], c.text());
    Team team(3);
    const Team::Use use(team);
    EXPECT_EQ(outputs_of(model, default_registry(), feeds)[0].to_vector<float>(),
              actual.to_vector<float>())
        << c.text();
  }
}

// The same with past keys and values, and with the projections inside.
TEST(Twins, AttentionOfMicrosoft) {
  for (const std::int64_t length : {1, 3, 20}) {
    Model model =
        TextModel()
            .opset(21)
            .domain("com.microsoft")
            .model(fmt::format("(float[2,{0},24] x, float[24,144] w, float[144] b, "
                               "float[2,2,3,5,16] p) => (float[] y, "
                               "float[] z) {{ y, q = com.microsoft.Attention<num_heads=3, "
                               "unidirectional=1>(x, w, b, , p) "
                               "z = com.microsoft.MultiHeadAttention<num_heads=3>(y, y, y) }}",
                               length));
    model.graph().find("w")->set_constant(random_tensor({24, 144}, 2));
    model.graph().find("b")->set_constant(random_tensor({144}, 3));
    infer_types(model);
    const std::vector feeds = {random_tensor({2, length, 24}), random_tensor({2, 2, 3, 5, 16}, 5)};
    std::string impls;
    const auto actual = outputs_of(model, default_registry(), feeds, &impls);
    EXPECT_EQ(impls, "Attention:vector MultiHeadAttention:vector ");
    const auto expected = outputs_of(model, references(), feeds);
    for (const std::size_t i : {0, 1}) expect_close(actual[i], expected[i], std::to_string(length));
  }
}

struct NBitsCase {
  std::int64_t rows, k, n, bits, block;  // rows: 0: any
  bool zeros, bias, level4;
  std::string ending;
};

Model nbits_model(Draw& draw, const NBitsCase& c) {
  const std::int64_t blocks = (c.k + c.block - 1) / c.block;
  const Shape codes{c.n, blocks, c.block * c.bits / 8}, packed{c.n, (blocks * c.bits + 7) / 8};
  Model model = TextModel()
                    .opset(21)
                    .domain("com.microsoft")
                    .model(fmt::format(
                        "(float[{0},{1}] x, uint8[] w, float[] scale, uint8[] zero, float[{2}] "
                        "bias) => (float[] y) "
                        "{{ c = com.microsoft.MatMulNBits<K={1}, N={2}, bits={3}, block_size={4}, "
                        "accuracy_level={5}>(x, w, scale, {6}, , {7}) {8} }}",
                        c.rows > 0 ? std::to_string(c.rows) : "M", c.k, c.n, c.bits, c.block,
                        c.level4 ? 4 : 0, c.zeros ? "zero" : "", c.bias ? "bias" : "", c.ending));
  Graph& graph = model.graph();
  graph.find("w")->set_constant(draw.codes(DType::u8, codes));
  graph.find("scale")->set_constant(random_tensor({c.n, blocks}, 5, -0.02f, 0.02f));
  graph.find("zero")->set_constant(draw.codes(DType::u8, packed));
  graph.find("bias")->set_constant(random_tensor({c.n}, 6));
  infer_types(model);
  return model;
}

TEST(Twins, MatMulNBits) {
  Draw draw(22);
  for (int round = 0; round < 120; ++round) {
    const NBitsCase c{draw.one_of({1, 2, 5, 12, 13, 17, 40}),
                      draw.one_of({1, 7, 16, 33, 64, 83, 96, 200}),
                      draw.one_of({1, 15, 16, 31, 32, 33, 64, 70, 100}),
                      draw.one_of({2, 4, 8}),
                      draw.one_of({8, 16, 32, 128}),
                      draw.between(0, 1) == 1,
                      draw.between(0, 1) == 1,
                      draw.between(0, 3) == 0,
                      endings()[static_cast<std::size_t>(round) % endings().size()]};
    const Model model = nbits_model(draw, c);
    const std::vector feeds = {random_tensor({c.rows, c.k})};
    std::string impls;
    const Tensor actual = outputs_of(model, default_registry(), feeds, &impls)[0];
    EXPECT_TRUE(impls.starts_with("MatMulNBits:product")) << impls;
    expect_close(actual, outputs_of(model, references(), feeds)[0],
                 fmt::format("round {}: {} x {} x {}, {} bits in {}, {}", round, c.rows, c.k, c.n,
                             c.bits, c.block, impls));
  }
}

// A row is the same alone and among others, and whoever makes it.
TEST(Twins, ARowTimesCodesIsTheSameAmongOthers) {
  Draw draw(23);
  for (const std::int64_t bits : {2, 4, 8})
    for (const std::int64_t k : {96, 83}) {
      const NBitsCase c{0, k, 70, bits, 32, true, true, false, "y = Relu(c)"};
      const Model model = nbits_model(draw, c);
      CompileOptions options = CompileOptions::nothing_observed();
      const Executor executor(model.graph(), options);
      const Tensor x = random_tensor({40, k});
      const auto all = executor.run(std::vector{x})[0].to_vector<float>();
      for (const std::size_t row : {0, 9, 39}) {
        const auto values =
            x.data<float>().subspan(row * static_cast<std::size_t>(k), static_cast<std::size_t>(k));
        const auto alone =
            executor.run(std::vector{Tensor::of<float>({1, k}, values)})[0].to_vector<float>();
        for (std::size_t i = 0; i < 70; ++i) ASSERT_EQ(alone[i], all[row * 70 + i]) << row;
      }
      Team team(3);
      const Team::Use use(team);
      EXPECT_EQ(executor.run(std::vector{x})[0].to_vector<float>(), all);
    }
}

// Weights too large for the caches, of which the first strips bring the next panel near, and
// results that go past them.
TEST(Twins, LargeProducts) {
  Model model = parse("(float[40,96] x, float[96,110016] w) => (float[] y) { y = MatMul(x, w) }");
  model.graph().find("w")->set_constant(random_tensor({96, 110016}, 4, -0.2f, 0.2f));
  infer_types(model);
  const std::vector feeds = {random_tensor({40, 96})};
  const Tensor actual = outputs_of(model, default_registry(), feeds)[0];
  expect_close(actual, outputs_of(model, references(), feeds)[0], "large");
  Team team(3);
  const Team::Use use(team);
  EXPECT_EQ(outputs_of(model, default_registry(), feeds)[0].to_vector<float>(),
            actual.to_vector<float>());
}

}  // namespace
}  // namespace intaglio
