#include "lib/tensor/dtype.h"

#include <array>

namespace intaglio {
namespace {

struct Row {
  DType type;
  std::string_view name, brief;
  std::size_t bits;
};

constexpr std::array rows = {
    Row{DType::f32, "float", "f32", 32},
    Row{DType::u8, "uint8", "u8", 8},
    Row{DType::s8, "int8", "s8", 8},
    Row{DType::u16, "uint16", "u16", 16},
    Row{DType::s16, "int16", "s16", 16},
    Row{DType::s32, "int32", "s32", 32},
    Row{DType::s64, "int64", "s64", 64},
    Row{DType::string, "string", "str", 0},
    Row{DType::boolean, "bool", "b8", 8},
    Row{DType::f16, "float16", "f16", 16},
    Row{DType::f64, "double", "f64", 64},
    Row{DType::u32, "uint32", "u32", 32},
    Row{DType::u64, "uint64", "u64", 64},
    Row{DType::bf16, "bfloat16", "bf16", 16},
    Row{DType::f8e4m3fn, "float8e4m3fn", "f8e4m3fn", 8},
    Row{DType::f8e5m2, "float8e5m2", "f8e5m2", 8},
    Row{DType::u4, "uint4", "u4", 4},
    Row{DType::s4, "int4", "s4", 4},
    Row{DType::f4e2m1, "float4e2m1", "f4e2m1", 4},
    Row{DType::u2, "uint2", "u2", 2},
    Row{DType::s2, "int2", "s2", 2},
};

}  // namespace

std::string_view name_of(DType type) {
  for (const Row& row : rows)
    if (row.type == type) return row.name;
  return "undefined";
}

DType dtype_named(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name || row.brief == name) return row.type;
  return DType::undefined;
}

std::size_t bits_of(DType type) {
  for (const Row& row : rows)
    if (row.type == type) return row.bits;
  return 0;
}

}  // namespace intaglio
