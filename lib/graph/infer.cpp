#include <onnx/shape_inference/implementation.h>

#include <exception>

#include "lib/base/log.h"
#include "lib/graph/codec.h"

namespace intaglio {

void GraphCodec::infer_types(Model& model) {
  onnx::ModelProto message = to_proto(model, {}, /*weights=*/false);
  try {
    const onnx::ShapeInferenceOptions options(false, 0, /*data_prop_val=*/true);
    onnx::shape_inference::InferShapes(message, onnx::OpSchemaRegistry::Instance(), options);
  } catch (const std::exception& e) {
    // Inference is a help, not a check: what it could not tell is found out when the model runs.
    log::debug("shape inference stopped: {}", e.what());
    return;
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
