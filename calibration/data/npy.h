// numpy's files: .npy (format versions 1 to 3, numpy/lib/format.py) and .npz, a zip archive of
// them.
//
// Element types: bool, int8 to int64, uint8 to uint64, float16, float32, float64, of either byte
// order; Fortran order is transposed. What needs no conversion is a view of the mapped file, not a
// copy.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "lib/base/file.h"
#include "lib/tensor/tensor.h"

namespace intaglio {

// Throw Code::io when the file cannot be read; Code::data, message starting with the path, when it
// is damaged or holds other types (objects, strings, complex numbers).
Tensor load_npy(const std::filesystem::path& path);
// By name, without ".npy".
std::map<std::string, Tensor> load_npz(const std::filesystem::path& path);

// The contents of a .npy file. Throws Code::data with the reason alone.
Tensor parse_npy(const MappedBytes& bytes);

// The bytes of a .npy file, version 1. numpy has no bfloat16 and no packed types: they are written
// as float32, uint8 and int8.
std::string to_npy(const Tensor& tensor);

}  // namespace intaglio
