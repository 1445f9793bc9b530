#include "lib/tflite/file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace intaglio::tflite {
namespace {

fb::TensorType type_of(DType type) {
  switch (type) {
    case DType::f32:
      return fb::TensorType::FLOAT32;
    case DType::s8:
      return fb::TensorType::INT8;
    case DType::u8:
      return fb::TensorType::UINT8;
    case DType::s32:
      return fb::TensorType::INT32;
    case DType::s64:
      return fb::TensorType::INT64;
    case DType::boolean:
      return fb::TensorType::BOOL;
    default:
      throw Error(Code::unsupported,
                  fmt::format("TFLite: values of type {} have no operators there", name_of(type)),
                  "Export the model in float, and quantize to 8 bits.");
  }
}

std::vector<std::int32_t> narrow(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::unique_ptr<fb::QuantizationT> quantization_of(const QParams& params) {
  auto result = std::make_unique<fb::QuantizationT>();
  result->scale = params.scale;
  result->zero_point.assign(params.zero_point.begin(), params.zero_point.end());
  result->quantized_dimension = params.axis.value_or(0);
  return result;
}

std::string text_of(const std::optional<QParams>& params) {
  if (!params) return "";
  return fmt::format("{} {} {}", params->axis.value_or(-1), fmt::join(params->scale, ","),
                     fmt::join(params->zero_point, ","));
}

}  // namespace

FileBuilder::FileBuilder()
    : graph_(*model_.subgraphs.emplace_back(std::make_unique<fb::SubGraphT>())) {
  model_.version = 3;
  model_.description = "intaglio " INTAGLIO_VERSION;
  graph_.name = "main";
  model_.buffers.push_back(std::make_unique<fb::BufferT>());  // of what has no constant bytes
}

int FileBuilder::add_tensor(const TensorSpec& spec) {
  auto tensor = std::make_unique<fb::TensorT>();
  tensor->name = spec.name;
  tensor->type = type_of(spec.type);
  tensor->shape = narrow(spec.shape);
  if (spec.params) tensor->quantization = quantization_of(*spec.params);
  graph_.tensors.push_back(std::move(tensor));
  specs_.push_back(spec);
  return static_cast<int>(specs_.size()) - 1;
}

int FileBuilder::add_constant(const std::string& name, const Tensor& tensor,
                              const std::optional<QParams>& params) {
  const auto* bytes = reinterpret_cast<const char*>(tensor.raw());
  const auto [it, fresh] = constants_.try_emplace(
      {tensor.dtype(), tensor.shape(), text_of(params), std::string(bytes, tensor.bytes())}, 0);
  if (!fresh) return it->second;
  it->second = add_tensor({name, tensor.dtype(), tensor.shape(), params});
  graph_.tensors.back()->buffer = add_buffer(tensor.raw(), tensor.bytes());
  return it->second;
}

std::uint32_t FileBuilder::add_buffer(const std::byte* bytes, std::size_t count) {
  auto buffer = std::make_unique<fb::BufferT>();
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes);
  buffer->data.assign(first, first + count);
  bytes_ += count;
  model_.buffers.push_back(std::move(buffer));
  return static_cast<std::uint32_t>(model_.buffers.size()) - 1;
}

std::uint32_t FileBuilder::opcode(fb::Op op, int version) {
  auto& codes = model_.operator_codes;
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (codes[i]->code == op && codes[i]->version == version) return static_cast<std::uint32_t>(i);
  auto code = std::make_unique<fb::OperatorCodeT>();
  code->code = op;
  code->short_code = static_cast<std::int8_t>(std::min(static_cast<int>(op), 127));
  code->version = version;
  codes.push_back(std::move(code));
  return static_cast<std::uint32_t>(codes.size()) - 1;
}

void FileBuilder::add_operator(fb::Op op, int version, std::vector<int> inputs,
                               std::vector<int> outputs, fb::OptionsUnion options) {
  auto node = std::make_unique<fb::OperatorT>();
  node->opcode_index = opcode(op, version);
  node->inputs = inputs;
  node->outputs = outputs;
  node->options = std::move(options);
  graph_.operators.push_back(std::move(node));
  operators_.push_back({op, std::move(inputs), std::move(outputs)});
}

bool FileBuilder::is_constant(int tensor) const {
  return graph_.tensors[static_cast<std::size_t>(tensor)]->buffer != 0;
}

void FileBuilder::rename(int tensor, const std::string& name) {
  graph_.tensors[static_cast<std::size_t>(tensor)]->name = name;
  specs_[static_cast<std::size_t>(tensor)].name = name;
}

void FileBuilder::add_signature(const std::vector<PortSpec>& inputs,
                                const std::vector<PortSpec>& outputs) {
  auto signature = std::make_unique<fb::SignatureT>();
  signature->key = "serving_default";
  const auto list = [](const std::vector<PortSpec>& ports, auto& named, auto& numbers) {
    for (const PortSpec& port : ports) {
      numbers.push_back(port.tensor);
      auto entry = std::make_unique<fb::NamedTensorT>();
      entry->name = port.name;
      entry->tensor_index = static_cast<std::uint32_t>(port.tensor);
      named.push_back(std::move(entry));
    }
  };
  list(inputs, signature->inputs, graph_.inputs);
  list(outputs, signature->outputs, graph_.outputs);
  model_.signatures.push_back(std::move(signature));
}

// Tensors that nothing reads or makes, and their bytes: what was asked for and then not used.
void FileBuilder::drop_unused() {
  std::vector<int> number(graph_.tensors.size(), -1);
  const auto mark = [&](const std::vector<std::int32_t>& tensors) {
    for (const std::int32_t t : tensors)
      if (t >= 0) number[static_cast<std::size_t>(t)] = 0;
  };
  mark(graph_.inputs), mark(graph_.outputs);
  for (const auto& op : graph_.operators) mark(op->inputs), mark(op->outputs);
  std::vector<std::unique_ptr<fb::TensorT>> tensors;
  std::vector<std::unique_ptr<fb::BufferT>> buffers;
  buffers.push_back(std::move(model_.buffers.front()));
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (number[i] < 0) continue;
    number[i] = static_cast<int>(tensors.size());
    auto& tensor = tensors.emplace_back(std::move(graph_.tensors[i]));
    if (tensor->buffer == 0) continue;
    buffers.push_back(std::move(model_.buffers[tensor->buffer]));
    tensor->buffer = static_cast<std::uint32_t>(buffers.size()) - 1;
  }
  graph_.tensors = std::move(tensors);
  model_.buffers = std::move(buffers);
  const auto renumber = [&](std::vector<std::int32_t>& list) {
    for (std::int32_t& t : list)
      if (t >= 0) t = number[static_cast<std::size_t>(t)];
  };
  renumber(graph_.inputs), renumber(graph_.outputs);
  for (const auto& op : graph_.operators) renumber(op->inputs), renumber(op->outputs);
  for (const auto& signature : model_.signatures)
    for (auto* named : {&signature->inputs, &signature->outputs})
      for (const auto& port : *named)
        port->tensor_index = static_cast<std::uint32_t>(number[port->tensor_index]);
}

std::string FileBuilder::finish(const std::vector<PortSpec>& inputs,
                                const std::vector<PortSpec>& outputs,
                                const std::map<std::string, std::string>& metadata) {
  add_signature(inputs, outputs);
  drop_unused();
  for (const auto& [key, value] : metadata) {
    auto entry = std::make_unique<fb::MetadataT>();
    entry->name = key;
    entry->buffer = add_buffer(reinterpret_cast<const std::byte*>(value.data()), value.size());
    model_.metadata.push_back(std::move(entry));
  }
  if (bytes_ > (std::size_t{1900} << 20))
    throw Error(Code::unsupported,
                fmt::format("TFLite: {} bytes of constants, beyond the 2 GB of its format", bytes_),
                "Quantize more of the model, or use `format qdq`.");
  flatbuffers::FlatBufferBuilder builder(bytes_ + 65536);
  builder.Finish(fb::Model::Pack(builder, &model_), fb::ModelIdentifier());
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace intaglio::tflite
