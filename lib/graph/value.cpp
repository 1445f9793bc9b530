#include <onnx/onnx_pb.h>

#include <utility>

#include "lib/graph/graph.h"

namespace intaglio {

Value::Value(Graph& graph, std::string name) : graph_(graph), name_(std::move(name)) {}
Value::~Value() = default;

void Value::set_type(DType dtype, std::optional<Dims> dims) {
  dtype_ = dtype;
  dims_ = std::move(dims);
  retyped_ = true;
}

void Value::set_constant(Tensor tensor) {
  dtype_ = tensor.dtype();
  dims_.emplace();
  for (const std::int64_t length : tensor.shape()) dims_->push_back({length, {}});
  constant_ = std::move(tensor);
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
