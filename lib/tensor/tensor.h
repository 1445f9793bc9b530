// A dense tensor: element type, shape, layout and shared bytes.
//
// Copies are cheap and share the bytes; mutate() gives a writable view and detaches first when the
// bytes are shared or read-only (a map of a model file). A Tensor may be read by many threads and
// written by one.
#pragma once

#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "lib/tensor/dtype.h"
#include "lib/tensor/packed.h"
#include "lib/tensor/shape.h"
#include "lib/tensor/small_float.h"

namespace intaglio {

// The order of elements in memory. shape() is always the logical one: N, C, spatial axes...
enum class Layout : std::uint8_t {
  row_major,      // as ONNX defines it
  channels_last,  // rank 3 and more: axis 1 is stored innermost (NHWC for images)
};

class Tensor {
 public:
  Tensor() = default;               // no type, no bytes: "absent"
  Tensor(DType type, Shape shape);  // owned bytes, 64-byte aligned, not initialised

  // Shares bytes that somebody else keeps. They must hold bytes_for(type, shape) bytes, aligned for
  // the element type.
  static Tensor view(DType type, Shape shape, std::shared_ptr<const std::byte> bytes);

  template <typename T>
  static Tensor of(Shape shape, std::span<const T> values);
  template <typename T>
  static Tensor of(Shape shape, std::initializer_list<T> values) {
    return of(std::move(shape), std::span<const T>(values.begin(), values.size()));
  }
  template <typename T>
  static Tensor scalar(T value) {
    return of(Shape{}, std::span<const T>(&value, 1));
  }
  template <typename T>
  static Tensor vector(const std::vector<T>& values) {
    return of(Shape{static_cast<std::int64_t>(values.size())}, std::span<const T>(values));
  }

  static std::size_t bytes_for(DType type, std::span<const std::int64_t> shape);

  bool defined() const { return type_ != DType::undefined; }
  DType dtype() const { return type_; }
  const Shape& shape() const { return shape_; }
  std::int64_t dim(std::size_t axis) const { return shape_.at(axis); }
  int rank() const { return static_cast<int>(shape_.size()); }
  std::int64_t size() const { return size_; }  // elements
  std::size_t bytes() const { return bytes_for(type_, shape_); }
  Layout layout() const { return layout_; }
  void set_layout(Layout layout) { layout_ = layout; }  // says how the bytes are; moves nothing

  // All elements. T must be the element type (Code::model says which it is otherwise: a kernel met
  // a type that the model must not give it).
  template <typename T>
  std::span<const T> data() const {
    require(dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes_.get()), static_cast<std::size_t>(size_)};
  }
  template <typename T>
  std::span<T> mutate() {
    require(dtype_of<T>());
    return {reinterpret_cast<T*>(raw_mutate()), static_cast<std::size_t>(size_)};
  }
  const std::byte* raw() const { return bytes_.get(); }
  std::byte* raw_mutate();

  // The only element, as T. Code::model unless there is exactly one.
  template <typename T>
  T item() const;

  // The same bytes under another shape of the same size (Code::model otherwise).
  Tensor reshaped(Shape shape) const;

  // All elements converted with static_cast semantics, in row-major order; packed types and small
  // floats are unpacked.
  template <typename T>
  std::vector<T> to_vector() const;

 private:
  void require(DType type) const;

  DType type_ = DType::undefined;
  Layout layout_ = Layout::row_major;
  bool writable_ = false;  // the bytes are ours alone as far as use_count() == 1
  Shape shape_;
  std::int64_t size_ = 0;
  std::shared_ptr<const std::byte> bytes_;
};

// The same values with the other layout: a copy only if their order in memory differs.
// Channels-last needs rank 3 or more (Code::internal).
Tensor to_row_major(const Tensor& tensor);
Tensor to_channels_last(const Tensor& tensor);

// The shape in which the elements lie in memory: the channels of a channels-last tensor come last.
Shape storage_shape(const Tensor& tensor);

// A row-major tensor of storage_shape() that shares the bytes; and back, with the channels of
// `tensor` (its last axis) as axis 1 of a channels-last one. For kernels that care for neither.
Tensor as_stored(const Tensor& tensor);
Tensor from_stored(const Tensor& tensor);

// Converts elements: float to integer truncates and saturates, to small floats rounds and
// saturates, to bool tests for non-zero; to integers of 4 and 2 bits, which hold the lowest bits of
// what int32 would.
Tensor convert(const Tensor& tensor, DType type);

}  // namespace intaglio

#include "lib/tensor/tensor_inl.h"
