#include "lib/graph/model.h"

#include <onnx/onnx_pb.h>

#include "lib/graph/codec.h"

namespace intaglio {

Model::Model()
    : rest_(std::make_unique<onnx::ModelProto>()),
      opsets_(std::make_shared<Graph::Opsets>()),
      graph_(std::make_unique<Graph>(opsets_)) {
  set_ir_version(8);
  set_opset("", 13);
}

Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model Model::clone() const {
  // The weights travel beside the message: the sink numbers them, the source hands them out again.
  std::vector<Tensor> weights;
  const TensorSink sink = [&](const Value& value, onnx::TensorProto& message) {
    message.set_data_location(onnx::TensorProto::EXTERNAL);
    message.set_doc_string(std::to_string(weights.size()));
    weights.push_back(value.constant());
    return true;
  };
  const TensorSource source = [&](const onnx::TensorProto& message, std::size_t) {
    const Tensor& tensor = weights[std::stoul(message.doc_string())];
    return std::shared_ptr<const std::byte>(std::make_shared<Tensor>(tensor), tensor.raw());
  };
  return GraphCodec::from_proto(GraphCodec::to_proto(*this, sink), source);
}

std::int64_t Model::ir_version() const { return rest_->ir_version(); }
void Model::set_ir_version(std::int64_t version) { rest_->set_ir_version(version); }

void Model::set_opset(std::string_view domain, std::int64_t version) {
  (*opsets_)[std::string(domain)] = version;
}

std::string Model::producer() const {
  return rest_->producer_version().empty() ? rest_->producer_name()
                                           : rest_->producer_name() + " " + rest_->producer_version();
}

void Model::set_producer(std::string_view name, std::string_view version) {
  rest_->set_producer_name(std::string(name));
  rest_->set_producer_version(std::string(version));
}

std::map<std::string, std::string> Model::metadata() const {
  std::map<std::string, std::string> result;
  for (const auto& entry : rest_->metadata_props()) result[entry.key()] = entry.value();
  return result;
}

void Model::set_metadata(std::string_view key, std::string_view value) {
  for (auto& entry : *rest_->mutable_metadata_props()) {
    if (entry.key() != key) continue;
    entry.set_value(std::string(value));
    return;
  }
  auto& entry = *rest_->add_metadata_props();
  entry.set_key(std::string(key));
  entry.set_value(std::string(value));
}

std::size_t Model::function_count() const {
  return static_cast<std::size_t>(rest_->functions_size());
}

}  // namespace intaglio
