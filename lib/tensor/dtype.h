// Element types. The enumerators have the numbers of onnx::TensorProto::DataType.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "lib/base/error.h"
#include "lib/tensor/half.h"

namespace intaglio {

enum class DType : std::uint8_t {
  undefined = 0,
  f32 = 1,
  u8 = 2,
  s8 = 3,
  u16 = 4,
  s16 = 5,
  s32 = 6,
  s64 = 7,
  string = 8,   // named in messages only: no tensor holds strings
  boolean = 9,  // one byte, 0 or 1
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  bf16 = 16,
  f8e4m3fn = 17,  // see lib/tensor/small_float.h
  f8e5m2 = 19,
  u4 = 21,  // several to a byte, like all of 4 and 2 bits: see lib/tensor/packed.h
  s4 = 22,
  f4e2m1 = 23,
  u2 = 25,
  s2 = 26,
};

std::string_view name_of(DType type);  // ONNX's name: "float", "uint8", "bfloat16", ...
// The inverse, also "u8", "s8", ...; undefined if unknown.
DType dtype_named(std::string_view name);
std::size_t bits_of(DType type);  // 2 to 64; 0 for undefined and string
// Several elements to a byte.
inline bool is_packed(DType t) { return bits_of(t) == 4 || bits_of(t) == 2; }
// Codes below zero as well as above.
inline bool is_signed_code(DType t) {
  return t == DType::s8 || t == DType::s16 || t == DType::s4 || t == DType::s2;
}
inline bool is_half(DType t) { return t == DType::f16 || t == DType::bf16; }
// Floats to compute with, which those of 8 and 4 bits are not.
inline bool is_float(DType t) { return t == DType::f32 || t == DType::f64 || is_half(t); }

inline bool is_small_float(DType t) {
  return t == DType::f8e4m3fn || t == DType::f8e5m2 || t == DType::f4e2m1;
}

// Whole numbers of 8, 4 or 2 bits.
inline bool is_narrow_code(DType t) {
  return t == DType::u8 || t == DType::s8 || (is_packed(t) && !is_small_float(t));
}

// The C++ type of an element, and back. Packed types and small floats have none: they are unpacked
// where they are read.
template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<Half>() {
  return DType::f16;
}
template <>
constexpr DType dtype_of<BFloat16>() {
  return DType::bf16;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::s8;
}
template <>
constexpr DType dtype_of<std::uint16_t>() {
  return DType::u16;
}
template <>
constexpr DType dtype_of<std::int16_t>() {
  return DType::s16;
}
template <>
constexpr DType dtype_of<std::uint32_t>() {
  return DType::u32;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::s32;
}
template <>
constexpr DType dtype_of<std::uint64_t>() {
  return DType::u64;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::s64;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::boolean;
}

// Calls f(T{}) with the element type of `type`; Code::unsupported for undefined, string, packed
// types and small floats.
//   visit_dtype(t.dtype(), [&](auto zero) { using T = decltype(zero); ... t.data<T>() ... });
template <typename F>
decltype(auto) visit_dtype(DType type, F&& f) {
  switch (type) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::f16:
      return f(Half{});
    case DType::bf16:
      return f(BFloat16{});
    case DType::u8:
      return f(std::uint8_t{});
    case DType::s8:
      return f(std::int8_t{});
    case DType::u16:
      return f(std::uint16_t{});
    case DType::s16:
      return f(std::int16_t{});
    case DType::u32:
      return f(std::uint32_t{});
    case DType::s32:
      return f(std::int32_t{});
    case DType::u64:
      return f(std::uint64_t{});
    case DType::s64:
      return f(std::int64_t{});
    case DType::boolean:
      return f(bool{});
    default:
      throw Error(Code::unsupported,
                  "no arithmetic on elements of type " + std::string(name_of(type)));
  }
}

}  // namespace intaglio
