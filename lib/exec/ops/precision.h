// Operators whose result depends on how precisely they compute: double where the inputs are double,
// float for all other floats. Half precision is storage only.
#pragma once

#include <utility>

#include "lib/exec/ops/float_io.h"

namespace intaglio {

// Calls f(double{}) for f64 and f(float{}) for the other floats; Code::model for any other type.
template <typename F>
decltype(auto) visit_precision(DType type, F&& f) {
  if (type == DType::f64) return f(double{});
  if (!is_float(type))
    throw Error(Code::model, "expected a float type, found " + std::string(name_of(type)));
  return f(float{});
}

// The values as T, shared if they already are.
template <typename T>
Tensor as_precise(const Tensor& tensor) {
  if (!is_float(tensor.dtype()))
    throw Error(Code::model,
                "expected a float type, found " + std::string(name_of(tensor.dtype())));
  return convert(tensor, dtype_of<T>());
}

// Throws Code::model unless the tensor has that many axes.
inline void require_rank(const Tensor& tensor, int rank, std::string_view what) {
  if (tensor.rank() != rank)
    throw Error(Code::model, std::string(what) + " of shape " + to_string(tensor.shape()) +
                                 " does not have " + std::to_string(rank) + " axes");
}

}  // namespace intaglio
