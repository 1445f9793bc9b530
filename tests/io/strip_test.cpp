#include "lib/io/strip.h"

#include <google/protobuf/unknown_field_set.h>

#include "lib/graph/codec.h"
#include "lib/io/save.h"
#include "tests/io/messages.h"
#include "tests/support/support.h"

namespace intaglio::testing {
namespace {

// A message as a newer exporter writes it: metadata_props of this field number.
template <typename Message>
void note(Message& message, int field) {
  message.set_doc_string("from line 7");
  message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(field,
                                                                              "module.layer");
}

onnx::GraphProto noted_graph(const std::string& name) {
  onnx::GraphProto graph;
  graph.set_name(name);
  note(graph, 16);
  auto& output = *graph.add_output();
  output.set_name(name + "_y");
  output.mutable_type()->mutable_tensor_type()->set_elem_type(1);
  note(output, 4);
  auto& node = *graph.add_node();
  node.set_op_type("Constant");
  node.add_output(name + "_y");
  note(node, 9);
  auto& attribute = *node.add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  attribute.set_doc_string("from line 7");
  auto& tensor = *attribute.mutable_t();
  tensor.set_data_type(1);
  tensor.add_float_data(1);
  note(tensor, 16);
  return graph;
}

onnx::ModelProto noted() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_doc_string("from line 7");
  model.add_opset_import()->set_version(13);
  auto& pair = *model.add_metadata_props();
  pair.set_key("labels");
  pair.set_value("cat, dog");
  *model.mutable_graph() = noted_graph("main");
  auto& input = *model.mutable_graph()->add_input();
  input.set_name("c");
  input.mutable_type()->mutable_tensor_type()->set_elem_type(9);
  auto& node = *model.mutable_graph()->add_node();
  node.set_op_type("If");
  node.add_input(std::string("c"));
  node.add_output(std::string("z"));
  for (const char* branch : {"then_branch", "else_branch"}) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(branch);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    *attribute.mutable_g() = noted_graph(branch);
  }
  auto& output = *model.mutable_graph()->add_output();
  output.set_name("z");
  output.mutable_type()->mutable_tensor_type()->set_elem_type(1);
  return model;
}

TEST(Strip, DropsNotesAndKeepsTheMetadataOfTheModel) {
  onnx::ModelProto model = noted();
  const std::string before = model.SerializeAsString();
  EXPECT_TRUE(contains(before, "module.layer"));
  strip(model);
  const std::string after = model.SerializeAsString();
  EXPECT_FALSE(contains(after, "module.layer"));
  EXPECT_FALSE(contains(after, "line 7"));
  EXPECT_TRUE(contains(after, "cat, dog"));
  EXPECT_EQ(model.graph().node_size(), 2);
}

TEST(Strip, IsForThoseWhoAsk) {
  const auto folder = fresh_folder();
  save_model(from_proto(noted()), folder / "kept.onnx");
  save_model(from_proto(noted()), folder / "stripped.onnx", {.strip = true});
  EXPECT_TRUE(contains(read_file(folder / "kept.onnx"), "module.layer"));
  EXPECT_FALSE(contains(read_file(folder / "stripped.onnx"), "module.layer"));
  EXPECT_FALSE(contains(read_file(folder / "stripped.onnx"), "line 7"));
}

}  // namespace
}  // namespace intaglio::testing
