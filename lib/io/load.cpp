#include "lib/io/load.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <charconv>

#include "lib/base/file.h"
#include "lib/graph/codec.h"
#include "lib/io/external_links.h"

namespace intaglio {
namespace {

bool parse(const MappedBytes& bytes, google::protobuf::Message& message) {
  // A file that is not protobuf is an everyday mistake: we report it, protobuf need not.
  const google::protobuf::LogSilencer quiet;
  google::protobuf::io::ArrayInputStream stream(bytes.data.get(), static_cast<int>(bytes.size));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  return message.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
}

std::uint64_t parse_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Code::model, fmt::format("external data: '{}' is not a number", text));
  return value;
}

// Where a tensor's bytes are, as the model says.
struct External {
  std::string location;
  std::uint64_t offset = 0, length = 0;
};

External external_of(const onnx::TensorProto& message, std::size_t bytes) {
  External external{{}, 0, bytes};
  for (const auto& entry : message.external_data()) {
    if (entry.key() == "location") external.location = entry.value();
    if (entry.key() == "offset") external.offset = parse_number(entry.value());
    if (entry.key() == "length") external.length = parse_number(entry.value());
  }
  if (external.location.empty()) throw Error(Code::model, "external data without a location");
  if (external.length != bytes)
    throw Error(Code::model, fmt::format("its shape needs {} bytes, its external data has {}",
                                         bytes, external.length));
  return external;
}

bool leaves(const std::filesystem::path& root, const std::filesystem::path& file) {
  const auto relative = file.lexically_relative(root);
  return relative.empty() || *relative.begin() == "..";
}

// The file of a location, which must not lie outside the folder, by its path or through links.
std::filesystem::path inside(const std::filesystem::path& folder, const std::string& location) {
  std::error_code error;
  const auto root = std::filesystem::weakly_canonical(folder, error);
  const auto file = error ? root : std::filesystem::weakly_canonical(root / location, error);
  if (error || location.find('\0') != std::string::npos)
    throw Error(Code::model,
                fmt::format("external data '{}' is no path of a file", location.c_str()));
  const auto named = (root / location).lexically_normal();
  if (std::filesystem::path(location).is_absolute() || leaves(root, named))
    throw Error(Code::model,
                fmt::format("external data '{}' leaves the folder of the model", location),
                "Move the data file beside the model and save the model with a relative path.");
  if (leaves(root, file) && !external_links_followed())
    throw Error(
        Code::model,
        fmt::format("external data '{}' is a link that leaves the folder of the model", location),
        "Give `follow-links` if the model is trusted, as in the cache of a model hub.");
  return file;
}

template <typename Find>  // (location) -> the file
Model read_model(const std::filesystem::path& path, Find&& find) {
  const MappedBytes bytes = map_file(path);
  if (bytes.size == 0)
    throw Error(Code::model, fmt::format("{}: the file is empty", path.string()),
                "Copy or export the model again.");
  if (bytes.size > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw Error(
        Code::model,
        fmt::format("{}: {} bytes is more than protobuf can hold", path.string(), bytes.size),
        "Save the model with its weights as external data.");
  onnx::ModelProto message;
  if (!parse(bytes, message))
    throw Error(Code::model,
                fmt::format("{}: not an ONNX model, or a truncated one", path.string()),
                "Check the path; copy or export the model again.");
  try {
    if (message.ir_version() == 0 && !message.has_graph())
      throw Error(Code::model, "not an ONNX model: it has no IR version and no graph",
                  "Check the path; copy or export the model again.");
    return from_proto(std::move(message), [&](const auto& tensor, std::size_t size) {
      const External external = external_of(tensor, size);
      return map_file(find(external.location), external.offset, static_cast<std::int64_t>(size))
          .data;
    });
  } catch (const Error& e) {
    throw e.within(path.string());
  }
}

}  // namespace

Model load_model(const std::filesystem::path& path, DataFiles* data_files) {
  std::error_code failed;  // then the path is as good as any: the file says why
  const auto folder = std::filesystem::absolute(path, failed).parent_path();
  return read_model(path, [&](const std::string& location) {
    std::filesystem::path file = inside(folder, location);
    if (data_files != nullptr) data_files->insert(file);
    return file;
  });
}

Model load_unplaced(const std::filesystem::path& path, const std::filesystem::path& data) {
  return read_model(path, [&](const std::string&) { return data; });
}

std::uint64_t size_on_disk(const std::filesystem::path& model, const DataFiles& data_files) {
  try {
    std::uint64_t bytes = std::filesystem::file_size(model);
    for (const std::filesystem::path& file : data_files) bytes += std::filesystem::file_size(file);
    return bytes;
  } catch (const std::filesystem::filesystem_error& e) {
    throw Error(Code::io, fmt::format("{}: {}", e.path1().string(), e.code().message()),
                "Check the path.");
  }
}

Tensor load_tensor(const std::filesystem::path& path) {
  const MappedBytes bytes = map_file(path);
  const auto message = std::make_shared<onnx::TensorProto>();
  try {
    if (!parse(bytes, *message)) throw Error(Code::data, "not a TensorProto, or a truncated one");
    return tensor_of(message);
  } catch (const Error& e) {
    throw Error(Code::data, fmt::format("{}: {}", path.string(), e.what()),
                "Write the tensor again, for example with onnx.numpy_helper.");
  }
}

}  // namespace intaglio
