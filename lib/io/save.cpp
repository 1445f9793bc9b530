#include "lib/io/save.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/mapped_files.h"
#include "lib/graph/codec.h"
#include "lib/io/strip.h"

namespace intaglio {
namespace {

std::uint64_t weight_bytes(const Graph& graph) {
  std::uint64_t bytes = 0;
  for (const Value* value : graph.values())
    if (value->is_constant()) bytes += value->constant().bytes();
  for (const Node* node : graph.nodes())
    for (const auto& [attr, nested] : node->nested_graphs()) bytes += weight_bytes(*nested);
  return bytes;
}

void set_entry(onnx::TensorProto& message, const char* key, const std::string& value) {
  auto& entry = *message.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

// Tensors that are mapped from files do not stay in memory once they are written.
void write_parts(AtomicFile& file, std::span<const std::byte> bytes) {
  constexpr std::size_t part = std::size_t{8} << 20;
  for (std::size_t at = 0; at < bytes.size(); at += part) {
    const auto some = bytes.subspan(at, std::min(part, bytes.size() - at));
    file.write(some);
    give_back_pages(some);
  }
}

// Appends the bytes of large initializers that are not in the data file yet, and leaves a reference
// in the message.
TensorSink sink_into(AtomicFile& file, const std::string& location, const SpillFile* begun) {
  return [&file, location, begun](const Value& value, onnx::TensorProto& message) {
    const Tensor& tensor = value.constant();
    auto offset = begun == nullptr ? std::nullopt : begun->offset_of(tensor.raw());
    if (!offset) {
      if (tensor.bytes() < 1024) return false;
      align_for_maps(file);
      offset = file.size();
      write_parts(file, {tensor.raw(), tensor.bytes()});
    }
    message.set_data_location(onnx::TensorProto::EXTERNAL);
    set_entry(message, "location", location);
    set_entry(message, "offset", std::to_string(*offset));
    set_entry(message, "length", std::to_string(tensor.bytes()));
    return true;
  };
}

std::string serialize(const onnx::ModelProto& message) {
  std::string text;
  google::protobuf::io::StringOutputStream stream(&text);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  if (!message.SerializeToCodedStream(&coded) || coded.HadError())
    throw Error(Code::internal, "protobuf cannot serialize the model");
  coded.Trim();
  return text;
}

}  // namespace

std::filesystem::path data_file_of(const std::filesystem::path& model) {
  return model.parent_path() / (model.filename().string() + ".data");
}

ModelFiles write_model(const Model& model, const std::filesystem::path& path,
                       const SaveOptions& options) {
  ModelFiles files{std::make_unique<AtomicFile>(path), nullptr};
  TensorSink sink;
  if (options.data || weight_bytes(model.graph()) > options.external_above) {
    const std::filesystem::path data = data_file_of(path);
    files.data = options.data ? options.data->take() : std::make_unique<AtomicFile>(data);
    sink = sink_into(*files.data, data.filename().string(), options.data.get());
  }
  onnx::ModelProto message = to_proto(model, sink);
  if (options.strip) strip(message);
  files.model->write(serialize(message));
  files.model->finish();
  if (files.data) files.data->finish();
  return files;
}

DataFiles save_model(const Model& model, const std::filesystem::path& path,
                     const SaveOptions& options) {
  const ModelFiles files = write_model(model, path, options);
  if (files.data) files.data->commit();
  files.model->commit();
  return files.data ? DataFiles{data_file_of(path)} : DataFiles();
}

std::uint64_t size_of(const Model& model) {
  const std::uint64_t weights = weight_bytes(model.graph());
  if (weights <= SaveOptions{}.external_above) return to_proto(model, {}).ByteSizeLong();
  return weights +
         to_proto(model, [](const Value&, onnx::TensorProto&) { return true; }).ByteSizeLong();
}

std::string hash_of(const Model& model) {
  Sha256 hash;
  const TensorSink digest = [&](const Value& value, onnx::TensorProto&) {
    if (value.constant().bytes() == 0)
      return false;  // strings and unknown types stay in the message
    hash.add(std::span(value.constant().raw(), value.constant().bytes()));
    return true;
  };
  const onnx::ModelProto rest = to_proto(model, digest);
  return hash.add(serialize(rest)).hex();
}

}  // namespace intaglio
