#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "lib/graph/codec.h"

namespace intaglio {
namespace {

using onnx::TensorProto;

Shape shape_of(const google::protobuf::RepeatedField<std::int64_t>& dims) {
  return {dims.begin(), dims.end()};
}

// Types that are unknown to us are carried along; they have no bits and no bytes.
DType type_of(const TensorProto& message) {
  const int type = message.data_type();
  if (type == TensorProto::UNDEFINED) throw Error(Code::model, "it has no element type");
  if (type < 0 || type > std::numeric_limits<std::underlying_type_t<DType>>::max())
    throw Error(Code::model, fmt::format("there is no element type {}", type));
  return static_cast<DType>(type);
}

template <typename T, typename Field>
Tensor from_field(DType type, Shape shape, const Field& field) {
  const std::size_t wanted = Tensor::bytes_for(type, shape) / sizeof(T);
  if (static_cast<std::size_t>(field.size()) != wanted)
    throw Error(Code::model, fmt::format("shape {} needs {} elements, the file holds {}",
                                         to_string(shape), wanted, field.size()));
  Tensor tensor(type, std::move(shape));
  auto* out = reinterpret_cast<T*>(tensor.raw_mutate());
  for (const auto value : field) *out++ = static_cast<T>(value);
  return tensor;
}

// The typed fields of TensorProto; which type goes into which is written in onnx.proto.
Tensor from_typed_data(const TensorProto& m, DType type, Shape shape) {
  switch (type) {
    case DType::f32:
      return from_field<float>(type, std::move(shape), m.float_data());
    case DType::f64:
      return from_field<double>(type, std::move(shape), m.double_data());
    case DType::s64:
      return from_field<std::int64_t>(type, std::move(shape), m.int64_data());
    case DType::u64:
      return from_field<std::uint64_t>(type, std::move(shape), m.uint64_data());
    case DType::u32:
      return from_field<std::uint32_t>(type, std::move(shape), m.uint64_data());
    case DType::s32:
      return from_field<std::int32_t>(type, std::move(shape), m.int32_data());
    case DType::f16:
    case DType::bf16:
    case DType::u16:
    case DType::s16:
      return from_field<std::uint16_t>(type, std::move(shape), m.int32_data());
    case DType::u8:
    case DType::s8:
    case DType::boolean:
    case DType::u4:
    case DType::s4:
    case DType::f4e2m1:
    case DType::u2:
    case DType::s2:
    case DType::f8e4m3fn:
    case DType::f8e5m2:
      return from_field<std::uint8_t>(type, std::move(shape), m.int32_data());
    default:
      return Tensor(type, std::move(shape));  // strings and types we cannot compute with
  }
}

Tensor from_raw_data(const std::shared_ptr<const TensorProto>& message, DType type, Shape shape) {
  const std::size_t bytes = Tensor::bytes_for(type, shape);
  const std::string& raw = message->raw_data();
  if (bits_of(type) != 0 && raw.size() != bytes)
    throw Error(Code::model, fmt::format("shape {} of type {} needs {} bytes, the file holds {}",
                                         to_string(shape), name_of(type), bytes, raw.size()));
  return Tensor::view(type, std::move(shape),
                      {message, reinterpret_cast<const std::byte*>(raw.data())});
}

Tensor from_source(const TensorProto& message, DType type, Shape shape,
                   const TensorSource& source) {
  if (!source)
    throw Error(Code::unsupported, "its data lies outside of the model file",
                "Save the model with only initializers stored externally.");
  if (bits_of(type) == 0)
    throw Error(Code::unsupported,
                fmt::format("external data of element type {}", message.data_type()),
                "Save the model without external data.");
  const std::size_t bytes = Tensor::bytes_for(type, shape);
  return Tensor::view(type, std::move(shape), source(message, bytes));
}

// Bytes of a file may lie at any address, and a bool other than 0 and 1 is none in C++.
void make_readable(Tensor& tensor) {
  const std::size_t width = std::max<std::size_t>(bits_of(tensor.dtype()) / 8, 1);
  if (reinterpret_cast<std::uintptr_t>(tensor.raw()) % width != 0) tensor.raw_mutate();  // copies
  if (tensor.dtype() != DType::boolean) return;
  const std::span bytes(tensor.raw(), tensor.bytes());
  if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b <= std::byte{1}; }))
    return;
  for (std::byte& b : std::span(tensor.raw_mutate(), tensor.bytes()))
    b = std::byte{b != std::byte{0}};
}

}  // namespace

Tensor tensor_of(const std::shared_ptr<const TensorProto>& message, const TensorSource& source) {
  const DType type = type_of(*message);
  Shape shape = shape_of(message->dims());
  Tensor tensor = message->data_location() == TensorProto::EXTERNAL
                      ? from_source(*message, type, std::move(shape), source)
                  : message->has_raw_data() ? from_raw_data(message, type, std::move(shape))
                                            : from_typed_data(*message, type, std::move(shape));
  make_readable(tensor);
  return tensor;
}

// The indices are [count], into the flattened tensor, or [count, rank] (onnx.proto,
// SparseTensorProto).
Tensor tensor_of(const onnx::SparseTensorProto& message) {
  const Tensor values = tensor_of(std::make_shared<TensorProto>(message.values()));
  const Tensor indices = tensor_of(std::make_shared<TensorProto>(message.indices()));
  const Shape shape = shape_of(message.dims());
  const std::size_t bytes = Tensor::bytes_for(values.dtype(), shape),
                    width = bits_of(values.dtype()) / 8;
  if (width == 0 || bytes > std::size_t{1} << 31)
    throw Error(Code::unsupported,
                fmt::format("sparse, of type {} and dense shape {}", name_of(values.dtype()),
                            to_string(shape)),
                "Export the model with dense initializers.");
  const auto rank = static_cast<std::int64_t>(shape.size());
  const bool flat = indices.rank() == 1;
  if (indices.shape() != (flat ? Shape{values.size()} : Shape{values.size(), rank}))
    throw Error(Code::model,
                fmt::format("{} sparse values of shape {} with indices of shape {}", values.size(),
                            to_string(shape), to_string(indices.shape())));
  Tensor dense(values.dtype(), shape);
  std::memset(dense.raw_mutate(), 0, bytes);
  const auto index = indices.data<std::int64_t>();
  for (std::int64_t i = 0; i < values.size(); ++i) {
    std::int64_t at = 0;
    for (std::int64_t axis = 0; axis < (flat ? 1 : rank); ++axis) {
      const std::int64_t length = flat ? dense.size() : shape[static_cast<std::size_t>(axis)];
      const std::int64_t place = index[static_cast<std::size_t>(flat ? i : i * rank + axis)];
      if (place < 0 || place >= length)
        throw Error(Code::model,
                    fmt::format("sparse index {} is outside of [0, {})", place, length));
      at = at * length + place;
    }
    std::memcpy(dense.raw_mutate() + static_cast<std::size_t>(at) * width,
                values.raw() + static_cast<std::size_t>(i) * width, width);
  }
  return dense;
}

void fill(TensorProto& message, const std::string& name, const Tensor& tensor) {
  message.set_name(name);
  message.set_data_type(static_cast<int>(tensor.dtype()));
  message.mutable_dims()->Assign(tensor.shape().begin(), tensor.shape().end());
  message.set_raw_data(tensor.raw(), tensor.bytes());
}

}  // namespace intaglio
