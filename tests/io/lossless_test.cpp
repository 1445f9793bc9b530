// Loading and saving a model loses nothing.
#include <gtest/gtest.h>

#include "lib/graph/codec.h"
#include "lib/io/load.h"
#include "lib/io/save.h"
#include "tests/io/messages.h"
#include "tests/support/support.h"

namespace intaglio {
namespace {

using onnx::AttributeProto;
using onnx::TensorProto;
using testing::equal_models;
using testing::parsed;

// Adds field 1023, which no version of ONNX knows.
template <typename Message>
Message& with_unknown(Message& message, std::string_view text) {
  const std::string field = "\xfa\x3f" + std::string(1, static_cast<char>(text.size()));
  EXPECT_TRUE(message.MergeFromString(field + std::string(text)));
  return message;
}

void set_tensor_type(onnx::ValueInfoProto& info, const std::string& name, int type) {
  info.set_name(name);
  info.set_doc_string("about " + name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  auto& shape = *tensor.mutable_shape();
  shape.add_dim()->set_dim_param("N");
  shape.add_dim()->set_dim_value(2);
  shape.add_dim()->set_denotation("DATA_FEATURE");
  with_unknown(info, "info");
}

TensorProto& add_tensor(onnx::GraphProto& graph, const std::string& name, int type,
                        std::initializer_list<int> dims) {
  TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const int d : dims) tensor.add_dims(d);
  return tensor;
}

// Every field of TensorProto that holds elements, and types that nobody knows.
void add_tensors(onnx::GraphProto& graph) {
  add_tensor(graph, "f32", TensorProto::FLOAT, {2}).add_float_data(1);
  graph.mutable_initializer(0)->add_float_data(2);
  with_unknown(*graph.mutable_initializer(0), "tensor").set_doc_string("typed");
  add_tensor(graph, "f32_raw", TensorProto::FLOAT, {1}).set_raw_data("abcd");
  add_tensor(graph, "f64", TensorProto::DOUBLE, {}).add_double_data(0.1);
  add_tensor(graph, "s64", TensorProto::INT64, {1}).add_int64_data(-5);
  add_tensor(graph, "u64", TensorProto::UINT64, {1}).add_uint64_data(~0ull);
  add_tensor(graph, "u32", TensorProto::UINT32, {1}).add_uint64_data(7);
  add_tensor(graph, "s32", TensorProto::INT32, {1}).add_int32_data(-7);
  add_tensor(graph, "s8", TensorProto::INT8, {1}).add_int32_data(-7);
  add_tensor(graph, "b8", TensorProto::BOOL, {1}).add_int32_data(4);
  add_tensor(graph, "b8_raw", TensorProto::BOOL, {2}).set_raw_data("\x02\xff");
  add_tensor(graph, "f16", TensorProto::FLOAT16, {1}).add_int32_data(0x3c00);
  add_tensor(graph, "bf16", TensorProto::BFLOAT16, {1}).set_raw_data("xy");
  add_tensor(graph, "u4", 21, {3}).set_raw_data("xy");
  add_tensor(graph, "text", TensorProto::STRING, {2}).add_string_data(std::string("a\0b", 3));
  graph.mutable_initializer(graph.initializer_size() - 1)->add_string_data("");
  add_tensor(graph, "c64", TensorProto::COMPLEX64, {1}).add_float_data(1);
  graph.mutable_initializer(graph.initializer_size() - 1)->add_float_data(2);
  add_tensor(graph, "fp8", 17, {2}).set_raw_data("xy");
  add_tensor(graph, "future", 200, {5}).set_raw_data("no idea");
  add_tensor(graph, "empty", TensorProto::FLOAT, {0, 3});

  auto& sparse = *graph.add_sparse_initializer();
  sparse.mutable_values()->set_name("sparse");
  sparse.mutable_values()->set_data_type(TensorProto::FLOAT);
  sparse.mutable_values()->add_dims(1);
  sparse.mutable_values()->add_float_data(3);
  sparse.mutable_indices()->set_data_type(TensorProto::INT64);
  sparse.mutable_indices()->add_dims(1);
  sparse.mutable_indices()->add_int64_data(4);
  sparse.add_dims(2);
  sparse.add_dims(3);
  with_unknown(sparse, "sparse");
}

AttributeProto& add_attr(onnx::NodeProto& node, const std::string& name, int type) {
  AttributeProto& attr = *node.add_attribute();
  attr.set_name(name);
  attr.set_type(static_cast<AttributeProto::AttributeType>(type));
  return attr;
}

void set_branch(onnx::GraphProto& graph, const std::string& name) {
  graph.set_name(name);
  auto& node = *graph.add_node();
  node.set_op_type("Add");
  node.add_input("x");
  node.add_input(name + "_w");
  node.add_output(name + "_out");
  with_unknown(node, "nested node");
  add_tensor(graph, name + "_w", TensorProto::FLOAT, {1}).add_float_data(1);
  set_tensor_type(*graph.add_output(), name + "_out", TensorProto::FLOAT);
  set_tensor_type(*graph.add_value_info(), "of_the_future", TensorProto::FLOAT);
  with_unknown(graph, "nested graph");
}

void add_attributes(onnx::NodeProto& node) {
  add_attr(node, "f", AttributeProto::FLOAT).set_f(-0.0f);
  add_attr(node, "i", AttributeProto::INT).set_i(1);
  add_attr(node, "s", AttributeProto::STRING).set_s(std::string("\xff\0", 2));
  add_attr(node, "fs", AttributeProto::FLOATS).add_floats(1);
  add_attr(node, "is", AttributeProto::INTS);  // empty on purpose
  add_attr(node, "ss", AttributeProto::STRINGS).add_strings("x");
  add_attr(node, "t", AttributeProto::TENSOR).mutable_t()->set_data_type(17);
  add_attr(node, "ts", AttributeProto::TENSORS).add_tensors()->set_data_type(1);
  add_attr(node, "sp", AttributeProto::SPARSE_TENSOR).mutable_sparse_tensor()->add_dims(1);
  add_attr(node, "tp", AttributeProto::TYPE_PROTO).mutable_tp()->set_denotation("d");
  add_attr(node, "gs", AttributeProto::GRAPHS).add_graphs()->set_name("one of many");
  add_attr(node, "no_graph", AttributeProto::GRAPH);
  add_attr(node, "untyped", AttributeProto::UNDEFINED).set_i(3);
  add_attr(node, "ref", AttributeProto::INT).set_ref_attr_name("outer");
  with_unknown(*node.mutable_attribute(0), "attribute").set_doc_string("doc");
}

onnx::ModelProto everything() {
  onnx::ModelProto model;
  model.set_ir_version(99);
  model.set_producer_name("p");
  model.set_producer_version("1");
  model.set_domain("d");
  model.set_model_version(-1);
  model.set_doc_string("doc");
  for (const auto& [domain, version] :
       {std::pair("", 99), {"ai.onnx.ml", 3}, {"com.microsoft", 1}, {"ai.onnx", 99}}) {
    auto& import = *model.add_opset_import();
    import.set_domain(domain);
    import.set_version(version);
    with_unknown(import, "import");
  }
  for (const char* key : {"k", "k", "other"}) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value("v");
  }
  auto& function = *model.add_functions();
  function.set_name("F");
  function.set_domain("local");
  function.add_input("a");
  function.add_node()->set_op_type("Neg");
  with_unknown(function, "function");
  model.add_training_info()->mutable_initialization()->set_name("training");
  with_unknown(model, "model");

  auto& graph = *model.mutable_graph();
  graph.set_name("g");
  graph.set_doc_string("doc");
  set_tensor_type(*graph.add_input(), "x", TensorProto::FLOAT);
  set_tensor_type(*graph.add_input(), "s64", TensorProto::INT64);  // an initializer too
  auto& sequence = *graph.add_input();
  sequence.set_name("sequence");
  sequence.mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type();
  graph.add_input()->set_name("untyped");
  add_tensors(graph);
  auto& node = *graph.add_node();
  node.set_op_type("Op");
  node.set_domain("com.microsoft");
  for (const char* name : {"x", "", "f32", "sparse", ""}) node.add_input(name);
  for (const char* name : {"", "mid", ""}) node.add_output(name);
  add_attributes(node);
  set_branch(*add_attr(node, "body", AttributeProto::GRAPH).mutable_g(), "body");
  set_branch(*add_attr(node, "body2", AttributeProto::GRAPH).mutable_g(), "body2");
  with_unknown(node, "node");
  auto& last = *graph.add_node();
  last.set_op_type("Relu");
  last.set_domain("ai.onnx");
  last.add_input("mid");
  last.add_output("y");
  for (const char* name : {"y", "x", "f32", "y"})  // also an input, an initializer, and one twice
    set_tensor_type(*graph.add_output(), name, TensorProto::FLOAT);
  graph.mutable_output(1)->set_doc_string("another text than at the input");
  for (const char* name : {"mid", "y", "x", "f32", "nowhere", "nowhere"})
    set_tensor_type(*graph.add_value_info(), name, TensorProto::FLOAT);
  auto& annotation = *graph.add_quantization_annotation();
  annotation.set_tensor_name("f32");
  annotation.add_quant_parameter_tensor_names()->set_key("SCALE_TENSOR");
  with_unknown(graph, "graph");
  return model;
}

TEST(Lossless, EverythingThatAModelCanHold) {
  const auto folder = testing::fresh_folder();
  const onnx::ModelProto before = everything();
  write_file(folder / "a.onnx", before.SerializeAsString());
  const Model model = load_model(folder / "a.onnx");
  model.graph().verify();
  save_model(model, folder / "b.onnx");
  EXPECT_EQ(parsed(folder / "b.onnx").SerializeAsString(), before.SerializeAsString());
  save_model(model.clone(), folder / "c.onnx");
  EXPECT_EQ(read_file(folder / "c.onnx"), read_file(folder / "b.onnx"));
  EXPECT_EQ(hash_of(model), hash_of(model.clone()));
}

TEST(Lossless, TheTensorsReadAsWhatTheyAre) {
  const auto path = testing::fresh_folder() / "a.onnx";
  write_file(path, everything().SerializeAsString());
  const Model model = load_model(path);
  const auto read = [&](const char* name) {
    return model.graph().find(name)->constant().to_vector<double>();
  };
  using V = std::vector<double>;
  EXPECT_EQ(read("f32"), (V{1, 2}));
  EXPECT_EQ(read("f64"), (V{0.1}));
  EXPECT_EQ(read("s64"), (V{-5}));
  EXPECT_EQ(read("s8"), (V{-7}));
  EXPECT_EQ(read("b8"), (V{1}));
  EXPECT_EQ(read("b8_raw"), (V{1, 1}));
  EXPECT_EQ(read("f16"), (V{1}));
  EXPECT_EQ(read("u4"), (V{8, 7, 9}));  // "xy" = 78 79
  EXPECT_EQ(read("sparse"), (V{0, 0, 0, 0, 3, 0}));
  EXPECT_EQ(read("empty"), (V{}));
}

TEST(Lossless, IrVersionsWithoutImports) {
  const auto folder = testing::fresh_folder();
  onnx::ModelProto before;
  before.set_ir_version(2);
  auto& graph = *before.mutable_graph();
  graph.add_input()->set_name("x");
  graph.add_output()->set_name("y");
  auto& node = *graph.add_node();
  node.set_op_type("Relu");
  node.add_input("x");
  node.add_output("y");
  write_file(folder / "a.onnx", before.SerializeAsString());
  const Model model = load_model(folder / "a.onnx");
  EXPECT_EQ(model.opset(), 1);
  save_model(model, folder / "b.onnx");
  EXPECT_EQ(read_file(folder / "b.onnx"), before.SerializeAsString());
}

// No model at hand is refused: all are valid, though many are newer than the ONNX library that we
// use.
TEST(Lossless, EveryModelAtHand) {
  SKIP_WITHOUT_SHARED(root, ".");
  const auto saved = testing::fresh_folder() / "saved.onnx";
  int files = 0, reordered = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".onnx") continue;
    ++files;
    onnx::ModelProto before = parsed(entry.path()), after;
    ASSERT_EQ(testing::error_of([&] {
                const Model model = load_model(entry.path());
                model.graph().verify();
                after = to_proto(model);
                // Through a file for some only: each is synchronised to the disk, which takes its
                // time.
                if (files % 50 == 0) save_model(model, saved), after = parsed(saved);
                ASSERT_EQ(to_proto(model.clone()).SerializeAsString(), after.SerializeAsString());
              }),
              "");
    if (before.SerializeAsString() == after.SerializeAsString()) continue;
    ++reordered;
    EXPECT_TRUE(equal_models(before, after)) << entry.path();
  }
  EXPECT_GT(files, 0);
  RecordProperty("files", files);
  RecordProperty("reordered", reordered);
}

}  // namespace
}  // namespace intaglio
