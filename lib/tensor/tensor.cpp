#include "lib/tensor/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "lib/base/memory.h"
#include "lib/tensor/buffer_pool.h"

namespace intaglio {
namespace {

// Refused before the allocator is asked: it may abort, or promise what it cannot give.
constexpr std::size_t most_bytes = std::size_t{1} << 40;

template <typename To, typename From>
To convert_element(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return static_cast<bool>(value != From{});
  } else if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
    const double v = static_cast<double>(value);
    if (std::isnan(v)) return To{};
    if (v <= static_cast<double>(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    if (v >= static_cast<double>(std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
    return static_cast<To>(v);
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(value));
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace

Tensor::Tensor(DType type, Shape shape)
    : type_(type), writable_(true), shape_(std::move(shape)), size_(element_count(shape_)) {
  const std::size_t bytes = bytes_for(type_, shape_);
  if (bytes > most_bytes)
    throw Error(Code::model,
                fmt::format("shape {} needs more bytes than any memory", to_string(shape_)));
  try {
    bytes_ = allocate_bytes(bytes);
  } catch (const MemoryLimitReached& e) {
    throw e.within(fmt::format("{} {}", name_of(type_), to_string(shape_)));
  }
}

Tensor Tensor::view(DType type, Shape shape, std::shared_ptr<const std::byte> bytes) {
  Tensor tensor;
  tensor.type_ = type;
  tensor.size_ = element_count(shape);
  tensor.shape_ = std::move(shape);
  tensor.bytes_ = std::move(bytes);
  return tensor;
}

std::size_t Tensor::bytes_for(DType type, std::span<const std::int64_t> shape) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  const std::size_t bits = bits_of(type);
  if (is_packed(type)) return count / (8 / bits) + (count % (8 / bits) != 0);
  if (bits != 0 && count > std::numeric_limits<std::size_t>::max() / 2 / (bits / 8))
    throw Error(Code::model,
                fmt::format("shape {} needs more bytes than any memory", to_string(shape)));
  return count * (bits / 8);
}

std::byte* Tensor::raw_mutate() {
  if (!writable_ || bytes_.use_count() != 1) {
    const std::shared_ptr<std::byte> copy = allocate_bytes(bytes());
    if (bytes() > 0) std::memcpy(copy.get(), bytes_.get(), bytes());
    bytes_ = copy;
    writable_ = true;
  }
  return const_cast<std::byte*>(bytes_.get());
}

Tensor Tensor::reshaped(Shape shape) const {
  if (element_count(shape) != size_)
    throw Error(Code::model,
                fmt::format("cannot view shape {} as {}", to_string(shape_), to_string(shape)));
  assert(layout_ == Layout::row_major);
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

void Tensor::require(DType type) const {
  if (type != type_)
    throw Error(Code::model, fmt::format("expected elements of type {}, found {}", name_of(type),
                                         name_of(type_)));
}

Tensor convert(const Tensor& tensor, DType type) {
  if (tensor.dtype() == type) return tensor;
  const Tensor rows = to_row_major(tensor);
  if (is_small_float(tensor.dtype()))
    return convert(Tensor::of<float>(tensor.shape(), rows.to_vector<float>()), type);
  if (is_packed(tensor.dtype()))
    return convert(Tensor::of<std::int32_t>(tensor.shape(), rows.to_vector<std::int32_t>()), type);
  Tensor result(type, tensor.shape());
  if (is_small_float(type)) {
    const auto values = rows.to_vector<float>();
    std::vector<std::uint8_t> codes(values.size());
    std::transform(values.begin(), values.end(), codes.begin(),
                   [type](float v) { return small_float_code(type, v); });
    pack_bits<std::uint8_t>(codes, bits_of(type), result.raw_mutate());
    return result;
  }
  if (is_packed(type)) {
    const Tensor codes = convert(rows, DType::s32);
    pack_bits(codes.data<std::int32_t>(), bits_of(type), result.raw_mutate());
    return result;
  }
  visit_dtype(tensor.dtype(), [&](auto from) {
    visit_dtype(type, [&](auto to) {
      using To = decltype(to);
      using From = decltype(from);
      const auto in = rows.data<From>();
      std::transform(in.begin(), in.end(), result.mutate<To>().begin(), convert_element<To, From>);
    });
  });
  return result;
}

}  // namespace intaglio
