// Float operators compute in float: other float types are converted on the way in and out.
#pragma once

#include <utility>

#include "lib/exec/kernel.h"

namespace intaglio {

// The values as f32 (shared bytes if they already are). Code::model for types that are not floats.
inline Tensor as_float(const Tensor& tensor) {
  if (!is_float(tensor.dtype()))
    throw Error(Code::model,
                "expected a float type, found " + std::string(name_of(tensor.dtype())));
  return convert(tensor, DType::f32);
}

// Gives output i the values, as the float type the operator's inputs have.
inline void set_float_output(KernelContext& context, std::size_t i, Tensor values, DType type) {
  context.set_output(i, convert(values, type));
}

}  // namespace intaglio
