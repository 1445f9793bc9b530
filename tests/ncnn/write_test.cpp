// A network of a model in int8: what becomes of each layer, and the bytes.
#include "lib/ncnn/write.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "lib/ncnn/match.h"
#include "lib/ncnn/table.h"
#include "tests/ncnn/support.h"

namespace intaglio {
namespace {

using testing::contains;
using testing::fresh_folder;
using testing::model_of;
using testing::ncnn_target;
using testing::NcnnLine;
using testing::on_grid;
using testing::plan_of;
using testing::raw;
using testing::tagged;
using testing::write_network;

// Two convolutions, the second depthwise, and a product.
const char* graph =
    "(float[1,2,1,1] x) => (float[1,3] y)"
    "<float[2,2,1,1] w = {1,-2,3.3,4}, float[2] b = {0.5,-0.5}, float[2,1,1,1] d = {1.27,-3},"
    " float[2,3] g = {1,2,3,-4,-5,0.1}, float[3] h = {7,8,9}>"
    "{ c = Conv(x, w, b) r = Relu(c) e = Conv<group=2>(r, d) f = Flatten(e) y = Gemm(f, g, h) }";

std::vector<NcnnLine> lines_of(const std::vector<float>& w, const std::vector<float>& d,
                               const std::vector<float>& g, NcnnType type = NcnnType::f32) {
  return {{"Input in0 0 1 in0", ""},
          {"Convolution convrelu_0 1 1 in0 1 0=2 1=1 5=1 6=4 9=1",
           tagged(w, type) + raw({0.5f, -0.5f})},
          {"ConvolutionDepthWise convdw_1 1 1 1 2 0=2 1=1 5=0 6=2 7=2", tagged(d, type)},
          {"Flatten flatten_2 1 1 2 3", ""},
          {"InnerProduct linear_3 1 1 3 out0 0=3 1=1 2=6", tagged(g, type) + raw({7, 8, 9})}};
}
const std::vector<float> w = {1, -2, 3.3f, 4}, d = {1.27f, -3},
                         g = {1, -4, 2, -5, 3, 0.1f};  // rows of outputs

struct Case {
  Model model = model_of(graph);
  Plan plan = plan_of(model, ncnn_target());
  Model refined = model.clone(), result = on_grid(model, plan);

  NcnnDecision decide(const NcnnNetwork& network) const {
    return decide_ncnn(network, {model.graph(), refined.graph(), result.graph()}, plan);
  }
  void refine(const std::function<void(Graph&)>& change) {
    change(refined.graph());
    change(result.graph());
  }
};

NcnnNetwork network_of(const std::vector<NcnnLine>& lines) {
  return load_ncnn(write_network(fresh_folder(), lines));
}

std::string codes(const std::vector<std::int8_t>& values) { return ncnn_bytes(values); }

TEST(NcnnWrite, EveryLayerGetsCodesAndScales) {
  const Case c;
  const float in = 127.0f / 4;  // ranges are -4..4
  const NcnnNetwork network = network_of(lines_of(w, d, g));
  const NcnnDecision decision = c.decide(network);
  EXPECT_FALSE(decision.on_grid);
  EXPECT_EQ(decision.in_integers(), 3u);
  EXPECT_TRUE(decision.missing.empty());
  const NcnnFiles files = ncnn_files(network, decision, c.plan);
  EXPECT_TRUE(contains(files.param, "6=4 9=1 8=102\n")) << "codes for the next:\n" << files.param;
  EXPECT_TRUE(contains(files.param, "7=2 8=1\n")) << files.param;
  EXPECT_TRUE(contains(files.param, "2=6 8=2\n")) << files.param;
  const std::string expected =
      codes({64, -127, 105, 127}) + raw({0.5f, -0.5f}) + raw({127 / 2.f, 127 / 4.f}) + raw({in}) +
      raw({in}) +                                                       // of its result
      codes({127, -127}) + raw({127 / 1.27f, 127 / 3.f}) + raw({in}) +  // no bias
      codes({32, -127, 51, -127, 127, 4}) + raw({7, 8, 9}) +
      raw({127 / 4.f, 127 / 5.f, 127 / 3.f}) + raw({in});
  ASSERT_EQ(files.bin.size(), expected.size());
  const auto scale_bytes = [](const std::string& bytes) {  // inverse scales differ by a last bit
    std::vector<float> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  };
  const auto a = scale_bytes(files.bin), e = scale_bytes(expected);
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(std::memcmp(&a[i], &e[i], 4) == 0 || std::abs(a[i] - e[i]) < 1e-5f * std::abs(e[i]))
        << i << ": " << a[i] << " " << e[i];
}

TEST(NcnnWrite, TheNetworkMayHoldHalvesAndTheWeightsOfTheResult) {
  const Case c;
  const NcnnNetwork of_model = network_of(lines_of(w, d, g, NcnnType::f16));
  const std::string expected = ncnn_files(of_model, c.decide(of_model), c.plan).bin;
  std::vector<std::vector<float>> rounded;
  for (const char* name : {"w", "d", "g"})
    rounded.push_back(c.result.graph().find(name)->constant().to_vector<float>());
  const std::vector<float>& r = rounded[2];
  const NcnnNetwork of_result =
      network_of(lines_of(rounded[0], rounded[1], {r[0], r[3], r[1], r[4], r[2], r[5]}));
  const NcnnDecision decision = c.decide(of_result);
  EXPECT_TRUE(decision.on_grid);
  EXPECT_EQ(ncnn_files(of_result, decision, c.plan).bin, expected) << "the same codes and scales";
  EXPECT_TRUE(ncnn_table(of_result, decision)
                  .starts_with("convrelu_0_param_0 63.5 31.75\nconvdw_1_param_0 "))
      << ncnn_table(of_result, decision);
  EXPECT_TRUE(contains(ncnn_table(of_result, decision), "\nconvrelu_0 31.75\n"));
  EXPECT_THROW(ncnn_table(of_model, c.decide(of_model)), Error) << "its weights are not those";
}

TEST(NcnnWrite, HalvesThatWereSubnormalAreZeros) {
  const Model model = model_of(
      "(float[1,2,1,1] x) => (float[1,1,1,1] y)"
      "<float[1,2,1,1] w = {0.02,0.00006}> { y = Conv(x, w) }");
  const Plan plan = plan_of(model, ncnn_target());
  const NcnnNetwork network =
      network_of({{"Convolution c 1 1 in0 out0 0=1 1=1 6=2", tagged({0.02f, 0}, NcnnType::f16)}});
  EXPECT_EQ(match_ncnn(network, model.graph()).front(), model.graph().nodes().front());
}

TEST(NcnnWrite, ALayerThatNoNodeHasStaysAndANodeThatNoLayerHasIsNamed) {
  const Case c;
  const NcnnNetwork network = network_of(lines_of(w, {1, 1}, g));
  const NcnnDecision decision = c.decide(network);
  EXPECT_EQ(decision.in_integers(), 2u);
  ASSERT_EQ(decision.missing.size(), 1u);
  EXPECT_TRUE(contains(decision.missing.front(), "'e'")) << decision.missing.front();
  const NcnnFiles files = ncnn_files(network, decision, c.plan);
  EXPECT_TRUE(contains(files.param, "7=2\n")) << "the depthwise layer is as it was:\n"
                                              << files.param;
  EXPECT_TRUE(contains(files.param, "9=1 8=2\n")) << "nobody takes codes:\n" << files.param;
  EXPECT_TRUE(contains(files.bin, tagged({1, 1})));
}

TEST(NcnnWrite, ANetworkOfAnotherModelIsRefused) {
  const Case c;
  try {
    c.decide(network_of(lines_of({1, 1, 1, 1}, {1, 1}, {1, 1, 1, 1, 1, 1})));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    EXPECT_TRUE(contains(e.what(), "net.ncnn.param: is not of this model: of 3 layers"))
        << e.what();
  }
}

TEST(NcnnWrite, AnotherBiasIsAnotherLayer) {
  const Case c;
  std::vector<NcnnLine> lines = lines_of(w, d, g);
  lines[1].bytes = tagged(w) + raw({0.5f, 0.5f});
  EXPECT_EQ(c.decide(network_of(lines)).missing.size(), 1u);
}

TEST(NcnnWrite, RefinementThatLayersDoNotHoldNeedsTheFloatModelOfTheResult) {
  Case c;
  c.refine([](Graph& changed) {
    Node& flatten = *changed.find("f")->producer();
    Value& half = changed.add_constant("half", Tensor::scalar(0.5f));
    Value& scaled = changed.add_value("scaled");
    changed.add_node("Mul", "gate", {flatten.input(0), &half}, {&scaled});
    changed.set_input(flatten, 0, &scaled);
  });
  try {
    c.decide(network_of(lines_of(w, d, g)));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    EXPECT_TRUE(contains(e.what(), "Mul node 'gate'")) << e.what();
    EXPECT_TRUE(contains(e.remedy(), "`float-output`")) << e.remedy();
  }
}

TEST(NcnnWrite, LayersThatRefinementChangedAndThatStayFloatGetTheirNewWeights) {
  Case c;
  NodePlan& entry = *std::ranges::find(c.plan.nodes, "e", &NodePlan::output);
  entry.quantized = false, entry.reason = "because";
  c.refine([](Graph& changed) {
    changed.find("d")->set_constant(Tensor::of<float>({2, 1, 1, 1}, {5, 6}));
  });
  const NcnnNetwork network = network_of(lines_of(w, d, g, NcnnType::f16));
  const NcnnDecision decision = c.decide(network);
  EXPECT_EQ(decision.layers[2].reason, "because");
  EXPECT_TRUE(contains(ncnn_files(network, decision, c.plan).bin, tagged({5, 6}, NcnnType::f16)));
}

TEST(NcnnWrite, ABiasThatRefinementAddedIsAddedToTheLayer) {
  Case c;
  c.refine([](Graph& changed) {
    Value& added = changed.add_constant("added", Tensor::vector(std::vector<float>{3, 4}));
    changed.set_input(*changed.find("e")->producer(), 2, &added);
  });
  const NcnnNetwork network = network_of(lines_of(w, d, g));
  const NcnnFiles files = ncnn_files(network, c.decide(network), c.plan);
  EXPECT_TRUE(contains(files.param, "5=1 6=2 7=2 8=1")) << files.param;
  EXPECT_TRUE(contains(files.bin, codes({127, -127}) + raw({3, 4})));
}

TEST(NcnnWrite, ChannelsOfAGroupNeedOneScale) {
  const Model model = model_of(
      "(float[1,2,1,1] x) => (float[1,4,1,1] y)"
      "<float[4,1,1,1] w = {1,2,3,4}> { y = Conv<group=2>(x, w) }");
  const NcnnNetwork network = network_of(
      {{"ConvolutionDepthWise c 1 1 in0 out0 0=4 1=1 5=0 6=4 7=2", tagged({1, 2, 3, 4})}});
  const auto decide = [&](const Target& target) {
    const Plan plan = plan_of(model, target);
    return decide_ncnn(network, {model.graph(), model.graph(), on_grid(model, plan).graph()}, plan)
        .layers.front();
  };
  EXPECT_TRUE(contains(decide(ncnn_target()).reason, "one scale for all channels of a group"));
  Target one = ncnn_target();
  one.per_channel = false;
  const auto scales = decide(one).scales;
  ASSERT_TRUE(scales.has_value());
  EXPECT_EQ(scales->weights, (std::vector<float>{127 / 4.f, 127 / 4.f}));
}

TEST(NcnnWrite, CodesGoOnWhereASplitLeadsToConvolutionsAlone) {
  const Model model = model_of(
      "(float[1,1,1,1] x) => (float[1,1,1,1] y, float[1,1,1,1] z)"
      "<float[1,1,1,1] a = {1}, float[1,1,1,1] b = {2}, float[1,1,1,1] c = {3}>"
      "{ p = Conv(x, a) y = Conv(p, b) z = Conv(p, c) }");
  const Plan plan = plan_of(model, ncnn_target());
  const Model result = on_grid(model, plan);
  const auto decided = [&](const std::string& last) {
    const NcnnNetwork network = network_of({{"Convolution a 1 1 in0 1 0=1 1=1 6=1", tagged({1})},
                                            {"Split s 1 2 1 2 3", ""},
                                            {"Convolution b 1 1 2 out0 0=1 1=1 6=1", tagged({2})},
                                            {last, contains(last, "Conv") ? tagged({3}) : ""}});
    return decide_ncnn(network, {model.graph(), model.graph(), result.graph()}, plan)
        .layers.front()
        .scales->output;
  };
  EXPECT_TRUE(decided("Convolution c 1 1 3 out1 0=1 1=1 6=1").has_value());
  EXPECT_FALSE(decided("ReLU c 1 1 3 out1").has_value()) << "it reads floats";
}

}  // namespace
}  // namespace intaglio
