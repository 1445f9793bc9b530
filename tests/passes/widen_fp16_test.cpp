#include <onnx/defs/parser.h>

#include "lib/exec/infer.h"
#include "lib/graph/codec.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/passes/support.h"

namespace intaglio::testing {
namespace {

TEST(Fp16ToFp32, WidensWeightsInputsOutputsAndCasts) {
  Model model = TextModel().typed(R"((float16[2] x, float[2] z) => (float16[2] y, float[2] u) {
      w = Constant <value = float[2] {1, 0.333251953125}> ()
      h = Cast <to = 10> (w)
      a = Add(x, h)
      v = Cast <to = 10> (z)
      y = Mul(a, v)
      u = Cast <to = 1> (y)
    })");
  EXPECT_GT(run_pass("fp16_to_fp32", model), 0);
  EXPECT_EQ(run_pass("fp16_to_fp32", model), 0);
  for (const Value* value : model.graph().values()) EXPECT_EQ(value->dtype(), DType::f32);
  const auto y =
      Executor(model.graph())
          .run(std::vector{Tensor::of<float>({2}, {1, 2}), Tensor::of<float>({2}, {3, 6})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({2}, {6, 13.99951171875})));
  EXPECT_TRUE(close(y[1], y[0]));
}

TEST(Fp16ToFp32, ConvertsInitializersExactlyAndSavesTheNewTypes) {
  for (const DType half : {DType::f16, DType::bf16}) {
    Model model = TextModel().model("(float16[2] x) => (float16[2] y) { y = Add(x, x) }");
    Graph& graph = model.graph();
    graph.find("x")->set_type(half, Dims{{2, {}}});
    graph.find("y")->set_type(half, Dims{{2, {}}});
    const Tensor weights = convert(Tensor::of<float>({2}, {0.1f, -65504}), half);
    graph.set_input(*graph.nodes()[0], 1, &graph.add_constant("w", weights));
    EXPECT_EQ(run_pass("fp16_to_fp32", model), 3);
    EXPECT_EQ(graph.find("w")->constant().to_vector<float>(), weights.to_vector<float>());

    const auto path = fresh_folder() / "wide.onnx";
    save_model(model, path);
    const Model saved = load_model(path);
    for (const char* name : {"x", "y", "w"})
      EXPECT_EQ(saved.graph().find(name)->dtype(), DType::f32) << name;
  }
}

// The text form has no half-precision literals.
void set_value(onnx::NodeProto& node, float value) {
  auto& attr = *node.mutable_attribute(0);
  attr.mutable_t()->clear_float_data();
  attr.mutable_t()->set_data_type(onnx::TensorProto::FLOAT16);
  attr.mutable_t()->add_int32_data(Half(value).bits);
}

TEST(Fp16ToFp32, WidensTensorAttributes) {
  onnx::ModelProto message;
  const TextModel text(R"((int64[2] shape) => (float16[N, M] y) {
      c = Constant <value = float[1] {0}> ()
      f = ConstantOfShape <value = float[1] {0}> (shape)
      y = Add(f, c)
    })");
  ASSERT_TRUE(onnx::OnnxParser::Parse(message, text.text().c_str()).IsOK());
  set_value(*message.mutable_graph()->mutable_node(0), 1);
  set_value(*message.mutable_graph()->mutable_node(1), 2);
  Model model = from_proto(std::move(message));
  infer_types(model);
  EXPECT_EQ(run_pass("fp16_to_fp32", model), 3);
  EXPECT_EQ(ops_of(model.graph()), "Identity Expand Add");
  const auto y = Executor(model.graph()).run(std::vector{Tensor::of<std::int64_t>({2}, {1, 2})});
  EXPECT_TRUE(close(y[0], Tensor::of<float>({1, 2}, {3, 3})));
}

TEST(Fp16ToFp32, LeavesFloatModelsAlone) {
  Model model = TextModel().typed("(float[2] x) => (double[2] y) { y = Cast <to = 11> (x) }");
  EXPECT_EQ(run_pass("fp16_to_fp32", model), 0);
}

}  // namespace
}  // namespace intaglio::testing
