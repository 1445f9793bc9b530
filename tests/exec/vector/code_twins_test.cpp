// Fast kernels on 8-bit codes against their slow twins, on random shapes: equal to the last code.
#include <fmt/format.h>

#include <random>

#include "lib/exec/executor.h"
#include "lib/exec/infer.h"
#include "lib/exec/ops/codes/table.h"
#include "lib/exec/profile.h"
#include "lib/exec/vector/codes/tile.h"
#include "tests/exec/core/draw.h"
#include "tests/exec/references.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using testing::random_tensor;
using testing::references;
using testing::TextModel;

std::vector<Tensor> run(const Model& model, const Registry& registry, const Tensor& feed,
                        std::string* impl = nullptr) {
  CompileOptions options = CompileOptions::nothing_observed();
  options.registry = &registry;
  const Executor executor(model.graph(), options);
  Profile profile;
  auto outputs = executor.run(std::span(&feed, 1), {}, &profile);
  if (impl != nullptr)
    for (const StepProfile& s : profile.steps)
      *impl += fmt::format("{}:{} ", s.step->node->op(), s.step->def->impl);
  return outputs;
}

void expect_equal(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.shape(), b.shape()) << what;
  const auto x = a.to_vector<int>(), y = b.to_vector<int>();
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(x[i], y[i]) << what << " at " << i;
}

// A QLinearConv between two moves, so that layouts meet; the sums are spread over all codes.
Model conv_model(Draw& draw, bool depthwise, std::string& what) {
  const std::int64_t channels = draw.one_of({1, 2, 3, 5, 8, 16, 17, 24, 32, 63, 64, 65, 80, 130});
  const bool is_depthwise = depthwise && channels > 1;
  const std::int64_t filters =
      is_depthwise ? channels : draw.one_of({1, 3, 15, 16, 17, 31, 32, 33, 64, 100});
  const std::int64_t group = is_depthwise ? channels : 1, depth = channels / group;
  const std::int64_t kernel = draw.one_of({1, 1, 2, 3, 3, 5, 7}), dilation = draw.one_of({1, 1, 2});
  const std::int64_t extent = (kernel - 1) * dilation + 1, stride = draw.one_of({1, 1, 2, 3});
  const std::int64_t height = extent + draw.between(0, 9), width = extent + draw.between(0, 30);
  const std::int64_t pad = draw.between(0, kernel), other = draw.between(0, kernel),
                     batch = draw.one_of({1, 1, 2});
  const bool x_signed = draw.between(0, 2) == 0, y_signed = draw.between(0, 2) == 0;
  const char *x_type = x_signed ? "int8" : "uint8", *y_type = y_signed ? "int8" : "uint8";
  const bool per_channel = draw.between(0, 1) == 0, bias = draw.between(0, 2) != 0;
  what = fmt::format(
      "{}x{}x{}x{} {} with {} filters of {} in {} groups, stride {}, dilation {}, pads {} {} to {}",
      batch, channels, height, width, x_type, filters, kernel, group, stride, dilation, pad, other,
      y_type);
  Model model = TextModel().opset(14).model(fmt::format(
      "({0}[{1},{2},{3},{4}] x, float xs, {0} xz, int8[{5},{6},{7},{7}] w, float[{8}] ws, "
      "int8[{8}] wz, float ys, {9} yz, int32[{5}] b) => ({9}[] y) {{ y = QLinearConv<group={10}, "
      "strides=[{11},{11}], dilations=[{12},{12}], pads=[{13},{14},{14},{13}]>(x, xs, xz, w, ws, "
      "wz, ys, yz{15}) }}",
      x_type, batch, channels, height, width, filters, depth, kernel, per_channel ? filters : 1,
      y_type, group, stride, dilation, pad, other, bias ? ", b" : ""));
  Graph& g = model.graph();
  const auto set = [&](const char* name, Tensor t) { g.find(name)->set_constant(std::move(t)); };
  const std::int64_t scales = per_channel ? filters : 1;
  set("xs", Tensor::scalar(0.02f));
  set("xz", draw.codes(x_signed ? DType::s8 : DType::u8, {}));
  set("w", draw.codes(DType::s8, {filters, depth, kernel, kernel}));
  set("ws", random_tensor({scales}, 5, 0.001f, 0.003f));
  Tensor zeros(DType::s8, {scales});
  std::fill_n(zeros.raw_mutate(), zeros.bytes(), std::byte{0});
  set("wz", zeros);
  set("ys", Tensor::scalar(0.02f * std::sqrt(static_cast<float>(depth * kernel * kernel))));
  set("yz", draw.codes(y_signed ? DType::s8 : DType::u8, {}));
  Tensor b(DType::s32, {filters});
  for (std::int32_t& v : b.mutate<std::int32_t>())
    v = static_cast<std::int32_t>(draw.between(-5000, 5000));
  set("b", b);
  infer_types(model);
  return model;
}

TEST(CodeTwins, ConvolutionsGiveTheSameCodes) {
  if (!has_code_tiles())
    GTEST_SKIP() << "the processor has no AVX-512 VNNI: the fast kernels cannot run";
  Draw draw(41);
  int product = 0, depthwise = 0, inner = 0;
  for (int i = 0; i < 300; ++i) {
    std::string what, impl;
    const Model model = conv_model(draw, i % 2 == 0, what);
    const Value& x = *model.graph().find("x");
    Shape shape;
    for (const Dim& d : *x.dims()) shape.push_back(d.value);
    const Tensor feed = draw.codes(x.dtype(), shape);
    const auto fast = run(model, default_registry(), feed, &impl),
               slow = run(model, references(), feed);
    expect_equal(fast.front(), slow.front(), what);
    product += impl == "QLinearConv:product ";
    depthwise += impl == "QLinearConv:vector ";
    for (const int code : slow.front().to_vector<int>())
      inner += code != 0 && code != 255 && std::abs(code) != 127;
  }
  EXPECT_GT(product, 100);
  EXPECT_GT(depthwise, 50);
  EXPECT_GT(inner, 100000) << "not all saturated";
}

// Channels of every remainder that vectors leave.
TEST(CodeTwins, MaxPoolsGiveTheSameCodes) {
  Draw draw(47);
  for (const std::int64_t channels : {1, 7, 16, 23, 64, 85})
    for (const char* type : {"uint8", "int8"}) {
      const std::string what = fmt::format(
          "({0}[2,{1},9,11] x) => ({0}[] y) {{ y = "
          "MaxPool<kernel_shape=[3,2], strides=[2,1], pads=[1,0,1,1]>(x) }}",
          type, channels);
      const Model model = TextModel().opset(14).typed(what);
      const Tensor feed = draw.codes(type[0] == 'u' ? DType::u8 : DType::s8, {2, channels, 9, 11});
      std::string impl;
      expect_equal(run(model, default_registry(), feed, &impl).front(),
                   run(model, references(), feed).front(), what);
      EXPECT_EQ(impl, "MaxPool:codes ");
    }
}

TEST(CodeTables, AreLookedUp) {
  if (!has_code_tables()) GTEST_SKIP() << "the processor has no AVX-512 VBMI";
  Draw draw(53);
  const Tensor table = draw.codes(DType::u8, {256});
  const auto entries = table.data<std::uint8_t>();
  for (const std::int64_t count : {1, 63, 64, 65, 200}) {
    const Tensor codes = draw.codes(DType::u8, {count});
    std::vector<std::uint8_t> out(static_cast<std::size_t>(count) + 1, 77);
    run_code_table(codes.data<std::uint8_t>().data(), count, entries.data(), out.data());
    for (std::int64_t i = 0; i < count; ++i)
      ASSERT_EQ(out[static_cast<std::size_t>(i)],
                entries[codes.data<std::uint8_t>()[static_cast<std::size_t>(i)]]);
    EXPECT_EQ(out.back(), 77);
  }
}

// What stands between convolutions of codes, behind one that makes channels-last images.
TEST(CodeTwins, OthersTakeChannelsLastImages) {
  if (!has_code_tiles())
    GTEST_SKIP() << "the processor has no AVX-512 VNNI: the fast kernels cannot run";
  const std::vector<std::string> endings = {
      "y = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,0,1,1]>(c)",
      "y = MaxPool<kernel_shape=[2,3], strides=[1,1], dilations=[2,1], pads=[0,2,1,0]>(c)",
      "y = com.microsoft.QLinearAdd(c, s, z, c, t, z, s, z)",
      "m = MaxPool<kernel_shape=[1,1]>(x) y = com.microsoft.QLinearAdd(c, s, z, m, t, z, s, z)",
      "y = com.microsoft.QLinearMul(c, s, z, c, t, z, s, z)",
      "y = com.microsoft.QLinearConcat<axis=1>(s, z, c, s, z, c, t, z)",
      "y = com.microsoft.QLinearConcat<axis=2>(s, z, c, s, z, c, t, z)",
      "y = com.microsoft.QLinearGlobalAveragePool(c, s, z, t, z)",
      "y = com.microsoft.QLinearLeakyRelu<alpha=0.1>(c, s, z, t, z)",
      "y = com.microsoft.QLinearSigmoid(c, s, z, t, z)",
      "d = DequantizeLinear(c, s, z) y = QuantizeLinear(d, t, z)",
  };
  Draw draw(43);
  for (const std::string& ending : endings) {
    Model model = TextModel()
                      .opset(14)
                      .domain("com.microsoft")
                      .model(fmt::format(
                          "(uint8[2,17,6,9] x, int8[17,17,1,1] w) => (uint8[] y) <float s = "
                          "{{0.02}}, float t = {{0.031}}, float ws = {{0.01}}, uint8 z = {{121}}, "
                          "int8 wz = {{0}}> {{ c = QLinearConv(x, s, z, w, ws, wz, s, z) {} }}",
                          ending));
    model.graph().find("w")->set_constant(draw.codes(DType::s8, {17, 17, 1, 1}));
    infer_types(model);
    const Tensor feed = draw.codes(DType::u8, {2, 17, 6, 9});
    expect_equal(run(model, default_registry(), feed).front(),
                 run(model, references(), feed).front(), ending);
  }
}

}  // namespace
}  // namespace intaglio
