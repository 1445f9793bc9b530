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

KernelContext::Destination KernelContext::channels_last_output(Shape shape) {
  Tensor& y = outputs_[0];
  const ChannelSlice slice = slice_.value_or(ChannelSlice{0, shape[1]});
  shape[1] = slice.total;
  if (!y.defined()) {
    y = Tensor(DType::f32, shape);
    y.set_layout(Layout::channels_last);
  } else if (y.shape() != shape) {
    throw Error(Code::model,
                fmt::format("a result for channels {} on of shape {} does not fit shape {}",
                            slice.first, to_string(shape), to_string(y.shape())));
  }
  return {y.mutate<float>().data() + slice.first, slice.total};
}

void KernelContext::set_output(std::size_t i, Tensor tensor) {
  if (i >= outputs_.size()) throw Error(Code::model, fmt::format("output {} is missing", i));
  outputs_[i] = std::move(tensor);
}

}  // namespace intaglio
