#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>

#include "lib/base/log.h"
#include "lib/graph/codec.h"

namespace intaglio {

namespace {

// --- What is newer than the library ---

// Operators whose first result has the type and shape of their first input.
constexpr std::array<std::string_view, 6> alike = {
    "Gelu", "Mish", "Swish", "GroupNormalization", "RMSNormalization", "RotaryEmbedding"};

// ReduceSum has its axes as an input since opset 13, the others since 18.
bool is_reduction(const onnx::NodeProto& node) {
  return node.op_type().starts_with("Reduce") && node.op_type() != "ReduceSum";
}

void become_identity(onnx::NodeProto& node) {
  node.set_op_type("Identity");
  node.clear_attribute();
  node.mutable_input()->DeleteSubrange(1, node.input_size() - 1);
  node.mutable_output()->DeleteSubrange(1, node.output_size() - 1);
}

bool is_on(const onnx::NodeProto& node, std::string_view attribute) {
  return std::ranges::any_of(node.attribute(), [&](const onnx::AttributeProto& a) {
    return a.name() == attribute && a.i() != 0;
  });
}

// False: the axes are not known.
bool axes_to_attribute(onnx::NodeProto& node, const Graph& graph) {
  const bool given = node.input_size() > 1 && !node.input(1).empty();
  const Value* axes = given ? graph.find(node.input(1)) : nullptr;
  if (given && (axes == nullptr || !axes->is_constant())) return false;
  if (given) node.mutable_input()->RemoveLast();
  if (!given || axes->constant().size() == 0) {
    if (is_on(node, "noop_with_empty_axes")) become_identity(node);
    return true;
  }
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name("axes");
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t axis : axes->constant().to_vector<std::int64_t>())
    attribute.add_ints(axis);
  return true;
}

// The library judges nodes by the rules of the newest opset that it knows. They take the form that
// they had there, or a name that it does not know, where there is none: better no shape than a
// wrong one.
void to_known_forms(onnx::ModelProto& message, const Graph& graph) {
  const std::int64_t known = GraphCodec::newest_opset_of_library();
  if (graph.opset() <= known) return;
  const auto is_known = [&](const std::string& op) {
    return onnx::OpSchemaRegistry::Schema(op, static_cast<int>(known)) != nullptr;
  };
  for (onnx::NodeProto& node : *message.mutable_graph()->mutable_node()) {
    if (!node.domain().empty()) continue;
    if (std::ranges::find(alike, node.op_type()) != alike.end() && !is_known(node.op_type()))
      become_identity(node);
    else if (known < 18 && is_reduction(node) && !axes_to_attribute(node, graph))
      node.set_op_type("Reduction");
  }
}

bool infer(onnx::ModelProto& message) {
  try {
    const onnx::ShapeInferenceOptions options(false, 0, /*data_prop_val=*/true);
    onnx::shape_inference::InferShapes(message, onnx::OpSchemaRegistry::Instance(), options);
    return true;
  } catch (const std::exception& e) {
    log::debug("shape inference stopped: {}", e.what());
    return false;
  }
}

}  // namespace

// Inference is a help, not a check: what it cannot tell is found out when the model runs. It gives
// up at the first annotation of the model that it disagrees with, so a second try goes without
// them.
void GraphCodec::infer_types(Model& model) {
  onnx::ModelProto message = to_proto(model, {}, /*weights=*/false);
  to_known_forms(message, model.graph());
  onnx::ModelProto bare = message;
  if (!infer(message)) {
    bare.mutable_graph()->clear_value_info();
    for (auto& output : *bare.mutable_graph()->mutable_output())
      output.mutable_type()->mutable_tensor_type()->clear_shape();
    if (!infer(bare)) return;
    message = std::move(bare);
  }
  const auto learn = [&](const onnx::ValueInfoProto& info) {
    Value* value = model.graph().find(info.name());
    if (value == nullptr || value->is_constant() || value->is_input()) return;
    if (value->dtype() == DType::undefined || !value->dims()) read_type(info, *value);
  };
  for (const auto& info : message.graph().value_info()) learn(info);
  for (const auto& info : message.graph().output()) learn(info);
}

std::int64_t GraphCodec::newest_opset_of_library() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
}

void infer_types(Model& model) { GraphCodec::infer_types(model); }

}  // namespace intaglio
