#include "lib/exec/stack.h"

#include <fmt/format.h>

#include "lib/base/memory.h"
#include "lib/exec/arguments.h"
#include "lib/exec/strided.h"

namespace intaglio {
namespace {

Tensor empty(const Value& declared, std::int64_t axis) {
  if (declared.dtype() == DType::undefined)
    throw Error(Code::model, fmt::format("no iteration made '{}', and its type is not declared",
                                         declared.name()));
  Shape shape;
  if (declared.dims())
    for (const Dim& dim : *declared.dims()) shape.push_back(dim.known() ? dim.value : 0);
  shape.insert(shape.begin() + normalized_axis(axis, static_cast<std::int64_t>(shape.size()) + 1),
               0);
  return Tensor(declared.dtype(), shape);
}

}  // namespace

Tensor slice_at(const Tensor& tensor, std::int64_t axis, std::int64_t index) {
  Shape shape = tensor.shape(), strides = strides_of(shape);
  const std::int64_t first = index * strides[static_cast<std::size_t>(axis)];
  shape.erase(shape.begin() + axis);
  strides.erase(strides.begin() + axis);
  Tensor slice(tensor.dtype(), std::move(shape));
  copy_strided(tensor, first, strides, slice);
  return slice;
}

void Stack::push(const Tensor& slice) {
  element_width(slice);  // refuses elements that share a byte
  if (count_ == 0) {
    type_ = slice.dtype();
    shape_ = slice.shape();
  } else if (slice.dtype() != type_ || slice.shape() != shape_) {
    throw Error(Code::model, fmt::format("iteration {} makes {} {}, those before it {} {}", count_,
                                         name_of(slice.dtype()), to_string(slice.shape()),
                                         name_of(type_), to_string(shape_)));
  }
  if (bytes_.size() + slice.bytes() > memory_limit() / 2)
    throw Error(Code::model,
                fmt::format("the results of {} iterations do not fit the memory", count_ + 1),
                "Check that the loop ends, or raise `max-memory`.");
  bytes_.insert(bytes_.end(), slice.raw(), slice.raw() + slice.bytes());
  ++count_;
}

Tensor Stack::joined(const Value& declared, std::int64_t axis, bool reversed) const {
  if (count_ == 0) return empty(declared, axis);
  const auto rank = static_cast<std::int64_t>(shape_.size()) + 1;
  const std::int64_t at = normalized_axis(axis, rank), size = element_count(shape_);
  Shape stored = shape_, whole = shape_, strides = strides_of(shape_);
  stored.insert(stored.begin(), count_);
  whole.insert(whole.begin() + at, count_);
  strides.insert(strides.begin() + at, reversed ? -size : size);
  const Tensor slices = Tensor::view(
      type_, stored, std::shared_ptr<const std::byte>(bytes_.data(), [](const std::byte*) {}));
  Tensor result(type_, whole);
  if (result.size() > 0) copy_strided(slices, reversed ? (count_ - 1) * size : 0, strides, result);
  return result;
}

}  // namespace intaglio
