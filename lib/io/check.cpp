#include "lib/io/check.h"

#include <onnx/checker.h>
#include <onnx/defs/schema.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "lib/graph/codec.h"

namespace intaglio {
namespace {

// Every result may be omitted (onnx/docs/IR.md); the library wants those that an operator always
// has to be named.
void name_omitted_outputs(onnx::GraphProto& graph) {
  int count = 0;
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    for (std::string& output : *node.mutable_output())
      if (output.empty()) output = graph.name() + " omitted " + std::to_string(count++);
    for (onnx::AttributeProto& attribute : *node.mutable_attribute())
      if (attribute.has_g()) name_omitted_outputs(*attribute.mutable_g());
  }
}

std::int64_t newest_opset_of_library() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
}

// The library demands a shape of every output, where runtimes take its absence for "not known".
void allow_unknown_shapes(onnx::GraphProto& graph) {
  for (auto& output : *graph.mutable_output())
    if (output.type().has_tensor_type())
      output.mutable_type()->mutable_tensor_type()->mutable_shape();
}

}  // namespace

std::optional<std::string> invalid_reason(const Model& model) {
  if (model.opset() > newest_opset_of_library()) return std::nullopt;
  // Weights are irrelevant to the rules and may exceed what one message holds: each is checked as
  // if it had one element.
  const TensorSink shrink = [](const Value& value, onnx::TensorProto& message) {
    if (value.constant().bytes() <= 4096) return false;
    message.clear_dims();
    message.add_dims(1);
    message.set_raw_data(std::string(bits_of(value.constant().dtype()) / 8, '\0'));
    return true;
  };
  onnx::ModelProto message = to_proto(model, shrink);
  // The library knows IR 8; newer versions add fields that it passes over.
  message.set_ir_version(std::min<std::int64_t>(message.ir_version(), onnx::Version::IR_VERSION));
  plain_domains(message);
  allow_unknown_shapes(*message.mutable_graph());
  name_omitted_outputs(*message.mutable_graph());
  try {
    onnx::checker::check_model(message);
    return std::nullopt;
  } catch (const std::exception& e) {
    std::string reason = e.what();
    // Also where the library made an error of its own of it.
    if (reason.find("bad_alloc") != std::string::npos) throw std::bad_alloc();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    return reason;
  }
}

}  // namespace intaglio
