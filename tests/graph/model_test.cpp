#include "lib/graph/model.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/graph/model_text.h"

namespace intaglio {
namespace {

using testing::bytes_of;
using testing::maker;
using testing::nested_model;
using testing::small_model;
using testing::TextModel;
using testing::value;

std::string model_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::model);
    return e.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

std::string refused(std::string_view body) {
  return model_error([&] { TextModel().model(body); });
}

TEST(ParseModel, RefusesWhatIsNoText) {
  EXPECT_NE(model_error([] { parse_model("nonsense"); }).find("does not parse"), std::string::npos);
}

TEST(Model, RefusesInconsistentGraphs) {
  EXPECT_EQ(refused("(float x) => (float y) { y = Add (x, z) }"),
            "Add node making 'y' reads 'z', which is no input, no initializer and made by no node");
  EXPECT_EQ(refused("(float x) => (float z) { y = Neg (x) }"),
            "nothing makes the graph output 'z'");
  EXPECT_EQ(refused("(float x) => (float y) { y = Neg (x) y = Abs (x) }"),
            "value 'y' is defined twice, again by node '' (Abs)");
  EXPECT_NE(refused("(float x) => (float y) { x = Neg (x) y = Abs (x) }"), "");
  EXPECT_NE(refused("(float x, float x) => (float y) { y = Abs (x) }"), "");
  EXPECT_EQ(refused("(float x) => (float y) { y = Add (x, b) b = Neg (y) }"),
            "the graph has a cycle through Add node making 'y'");
  EXPECT_EQ(refused("(float x) => (float y) { y = Neg (y) }"),
            "the graph has a cycle through Neg node making 'y'");
}

// The output of an If that its own branch reads.
TEST(Model, RefusesACycleThroughANestedGraph) {
  EXPECT_EQ(refused(R"((bool c, float x) => (float y) {
    y = If (c) <then_branch = t () => (float a) { a = Neg (y) },
                else_branch = e () => (float b) { b = Neg (x) }>
  })"),
            "the graph has a cycle through If node making 'y'");
}

TEST(Model, RefusesTwoVersionsOfOneOperatorSet) {
  EXPECT_NE(model_error([] {
              TextModel().domain("ai.onnx", 12).model("(float x) => (float y) { y = Neg (x) }");
            }),
            "");
}

TEST(Model, CloneEqualsTheOriginalAndSharesTheWeights) {
  for (const Model& model : {small_model(), nested_model()}) {
    const Model copy = model.clone();
    copy.graph().verify();
    EXPECT_EQ(bytes_of(copy), bytes_of(model));
    EXPECT_EQ(value(copy, "w").constant().raw(), value(model, "w").constant().raw());
  }
}

TEST(Model, CloneKeepsEditsTypesAndPayloads) {
  Model model = TextModel().producer("p").model(
      R"((float[N,2] x) => (float[N,2] y) <float[2] w = {1, 2}, string[2] words = {"a", "b"}> {
  s = Add (x, w)
  y = Relu (s)
})");
  value(model, "s").learn(DType::f32, Dims{{-1, "N"}, {2, ""}});
  Value& w = value(model, "w");
  w.set_constant(Tensor::vector<float>({3, 4}));
  model.graph().add_constant("half", convert(Tensor::vector<float>({1, 2, 3}), DType::f16));
  model.set_metadata("k", "v");
  const Model copy = model.clone();
  EXPECT_EQ(bytes_of(copy), bytes_of(model));
  EXPECT_EQ(to_string(*value(copy, "s").dims()), "[N,2]");  // learned, said nowhere
  EXPECT_EQ(to_proto(copy).graph().initializer(1).string_data(1), "b");

  value(model, "w").set_constant(Tensor::vector<float>({9, 9}));
  model.graph().erase(maker(model, "y"));
  EXPECT_EQ(value(copy, "w").constant().to_vector<float>(), (std::vector<float>{3, 4}));
  copy.graph().verify();
}

TEST(Model, WhatIsAroundTheGraphCanBeEdited) {
  Model model = small_model();
  model.set_ir_version(9);
  model.set_opset("com.microsoft", 1);
  model.set_opset("", 14);
  model.set_producer("intaglio", "1");
  model.set_metadata("a", "1");
  model.set_metadata("a", "2");
  EXPECT_EQ(model.ir_version(), 9);
  EXPECT_EQ(model.opset(), 14);
  EXPECT_EQ(model.producer(), "intaglio 1");
  EXPECT_EQ(model.metadata(), (std::map<std::string, std::string>{{"a", "2"}}));
  EXPECT_EQ(model.function_count(), 0u);
  const auto message = to_proto(model);
  ASSERT_EQ(message.opset_import_size(), 2);
  EXPECT_EQ(message.opset_import(0).version(), 14);
  EXPECT_EQ(message.opset_import(1).domain(), "com.microsoft");
  EXPECT_EQ(message.metadata_props_size(), 1);
}

TEST(Model, WhatIsLearnedGivesWayToWhatIsSaid) {
  Model model = small_model();
  const std::string before = bytes_of(model);
  Value& s = value(model, "s");
  s.learn(DType::f32, Dims{{-1, ""}, {2, ""}});
  s.learn(DType::f16, Dims{{-1, "N"}, {2, ""}});
  EXPECT_EQ(s.dtype(), DType::f16);
  EXPECT_EQ(to_string(*s.dims()), "[N,2]");
  EXPECT_EQ(bytes_of(model), before);
  s.set_type(DType::f32, Dims{{4, ""}, {-1, ""}});
  s.learn(DType::f16, Dims{{5, ""}, {2, ""}});
  EXPECT_EQ(s.dtype(), DType::f32);
  EXPECT_EQ(to_string(*s.dims()), "[4,?]");
}

TEST(Model, SetTypeAndSetConstantReachTheFile) {
  Model model = small_model();
  value(model, "x").set_type(DType::u8, Dims{{4, ""}, {2, ""}});
  value(model, "y").set_type(DType::f16, Dims{{-1, "M"}, {-1, ""}});
  value(model, "w").set_constant(Tensor::of<std::int8_t>({1, 2}, {5, 6}));
  const auto graph = to_proto(model).graph();
  const auto& x = graph.input(0).type().tensor_type();
  EXPECT_EQ(x.elem_type(), onnx::TensorProto::UINT8);
  EXPECT_EQ(x.shape().dim(0).dim_value(), 4);
  const auto& y = graph.output(0).type().tensor_type();
  EXPECT_EQ(y.elem_type(), onnx::TensorProto::FLOAT16);
  EXPECT_EQ(y.shape().dim(0).dim_param(), "M");
  EXPECT_FALSE(y.shape().dim(1).has_dim_value());
  EXPECT_EQ(graph.initializer(0).raw_data(), "\x05\x06");
  EXPECT_EQ(graph.initializer(0).dims_size(), 2);
}

}  // namespace
}  // namespace intaglio
