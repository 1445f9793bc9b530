#include <onnx/onnx_pb.h>

#include <utility>

#include "lib/graph/graph.h"

namespace intaglio {

Value::Value(Graph& graph, std::string name) : graph_(graph), name_(std::move(name)) {}
Value::~Value() = default;

void Value::set_type(DType dtype, std::optional<Dims> dims) {
  dtype_ = dtype;
  dims_ = std::move(dims);
  dtype_learned_ = dims_learned_ = false;
  retyped_ = true;
}

void Value::learn(DType dtype, const std::optional<Dims>& dims) {
  if (dtype != DType::undefined && (dtype_ == DType::undefined || dtype_learned_)) {
    dtype_ = dtype;
    dtype_learned_ = true;
  }
  if (!dims) return;
  if (!dims_ || dims_learned_) {
    dims_ = dims;
    dims_learned_ = true;
  } else if (!retyped_ && dims_->size() == dims->size()) {
    for (std::size_t i = 0; i < dims->size(); ++i)
      if (!(*dims_)[i].known() && (*dims_)[i].symbol.empty()) (*dims_)[i] = (*dims)[i];
  }
}

void Value::set_constant(Tensor tensor) {
  dtype_ = tensor.dtype();
  dims_.emplace();
  for (const std::int64_t length : tensor.shape()) dims_->push_back({length, {}});
  constant_ = std::move(tensor);
  dtype_learned_ = dims_learned_ = false;
  retyped_ = true;
  initializer_.reset();
  sparse_.reset();
}

std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (const Dim& dim : dims) {
    if (text.size() > 1) text += ',';
    text += dim.known() ? std::to_string(dim.value) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return text + "]";
}

}  // namespace intaglio
