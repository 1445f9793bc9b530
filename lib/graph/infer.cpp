#include <onnx/shape_inference/implementation.h>

#include <exception>

#include "lib/base/log.h"
#include "lib/graph/codec.h"

namespace intaglio {

namespace {

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

void infer_types(Model& model) { GraphCodec::infer_types(model); }

}  // namespace intaglio
