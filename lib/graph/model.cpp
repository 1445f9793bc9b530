#include "lib/graph/model.h"

#include <onnx/onnx_pb.h>

#include <algorithm>

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
  // The message carries empty tensors in place of the weights, which are shared afterwards.
  const TensorSink leave_out = [](const Value&, onnx::TensorProto& message) {
    message.clear_dims();
    message.add_dims(0);
    return true;
  };
  Model copy = from_proto(to_proto(*this, leave_out));
  GraphReader::share_values(*graph_, *copy.graph_);
  return copy;
}

std::int64_t Model::ir_version() const { return rest_->ir_version(); }
void Model::set_ir_version(std::int64_t version) { rest_->set_ir_version(version); }

void Model::set_opset(std::string_view domain, std::int64_t version) {
  (*opsets_)[plain_domain(domain)] = version;
  auto& imports = *rest_->mutable_opset_import();
  const auto named = [&](std::string_view name) {
    return std::ranges::find(imports, name, [](const auto& i) { return i.domain(); });
  };
  // The import of the standard operators goes by the plain name then.
  if (domain.empty() && named("") == imports.end() && named("ai.onnx") != imports.end())
    named("ai.onnx")->clear_domain();
}

std::string Model::producer() const {
  return rest_->producer_version().empty()
             ? rest_->producer_name()
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
