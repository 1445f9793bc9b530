#include "tests/fuzz/targets/target.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/tensor/tensor.h"
#include "tests/fuzz/mutations.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace intaglio::testing {
namespace {

const std::filesystem::path& folder() {
  static const std::filesystem::path path = [] {
    set_memory_limit(std::size_t{512} << 20);
    spdlog::set_level(spdlog::level::off);
    auto p = std::filesystem::temp_directory_path() / ("intaglio-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(p);
    return p;
  }();
  return path;
}

[[noreturn]] void bug(const std::string& what) {
  std::fprintf(stderr, "a bug of ours: %s\n", what.c_str());
  std::abort();
}

// The bytes of an element of the value 1; where several share a byte, of the first of them.
std::string one_of(DType type) {
  if (bits_of(type) == 0) return "\1";
  const Tensor one = convert(Tensor::scalar(1.0f), type);
  return {reinterpret_cast<const char*>(one.raw()), one.bytes()};
}

onnx::TensorProto ones_for(const onnx::ValueInfoProto& input) {
  onnx::TensorProto tensor;
  const auto& type = input.type().tensor_type();
  tensor.set_data_type(type.elem_type());
  std::int64_t count = 1;
  for (const auto& dim : type.shape().dim()) {
    tensor.add_dims(dim.has_dim_value() ? std::clamp<std::int64_t>(dim.dim_value(), 0, 64) : 1);
    count = std::min<std::int64_t>(count * tensor.dims(tensor.dims_size() - 1), 1 << 20);
  }
  const std::string one = one_of(static_cast<DType>(type.elem_type()));
  for (std::int64_t i = 0; i < count; ++i) tensor.mutable_raw_data()->append(one);
  const std::size_t bits = bits_of(static_cast<DType>(type.elem_type()));
  tensor.mutable_raw_data()->resize((static_cast<std::size_t>(count) * bits + 7) / 8);
  return tensor;
}

}  // namespace

void try_file(const std::uint8_t* data, std::size_t size, const std::string& name,
              const std::function<void(const std::filesystem::path&)>& read) {
  const auto path = folder() / name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    read(path);
  } catch (const Error& e) {
    if (e.code() == Code::internal) bug(e.what());
  } catch (const std::exception& e) {
    bug(e.what());
  }
}

void try_model(const std::uint8_t* data, std::size_t size, Way way) {
  onnx::ModelProto model;
  if (!model.ParseFromArray(data, static_cast<int>(size))) return;
  std::vector<onnx::TensorProto> feeds;
  for (const auto& input : model.graph().input()) feeds.push_back(ones_for(input));
  const Outcome outcome = outcome_of(model, feeds, way, folder());
  if (outcome.ours) bug(outcome.reason);
}

std::size_t mutate_model(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  onnx::ModelProto model;
  if (seed % 4 == 0 || !model.ParseFromArray(data, static_cast<int>(size)))
    return LLVMFuzzerMutate(data, size, most);
  const auto all = mutations_of(model);
  if (all.empty()) return LLVMFuzzerMutate(data, size, most);
  all[seed / 4 % all.size()].apply(model);
  const std::string bytes = model.SerializeAsString();
  if (bytes.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::ranges::copy(bytes, data);
  return bytes.size();
}

}  // namespace intaglio::testing
