#include "lib/exec/kernel.h"

#include <fmt/format.h>

namespace intaglio {

const Tensor& KernelContext::input(std::size_t i) const {
  const Tensor* tensor = optional(i);
  if (tensor == nullptr) throw Error(Code::model, fmt::format("input {} is missing", i));
  return *tensor;
}

Tensor& KernelContext::output(std::size_t i, DType type, Shape shape) {
  if (i >= outputs_.size()) throw Error(Code::model, fmt::format("output {} is missing", i));
  return outputs_[i] = Tensor(type, std::move(shape));
}

void KernelContext::set_output(std::size_t i, Tensor tensor) {
  if (i >= outputs_.size()) throw Error(Code::model, fmt::format("output {} is missing", i));
  outputs_[i] = std::move(tensor);
}

}  // namespace intaglio
