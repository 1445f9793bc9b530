// A TFLite file under construction: tensors, constants and operators with their numbers, and at the
// end the bytes. What the operators mean is no matter here.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

// The code that flatc makes of tflite.fbs.
#include <tflite_generated.h>

#include "lib/quant/qparams.h"
#include "lib/tensor/tensor.h"

namespace intaglio::tflite {

// A tensor of the file; shapes and axes as they are stored. params: those of codes, their axis the
// stored one; nullopt: no codes.
struct TensorSpec {
  std::string name;
  DType type = DType::f32;
  Shape shape;
  std::optional<QParams> params = std::nullopt;
};

// What runtimes call an input or output.
struct PortSpec {
  std::string name;
  int tensor;
};

class FileBuilder {
 public:
  FileBuilder();

  // Numbers of tensors count from 0. Names need not be unique. Throws Code::unsupported for element
  // types that the format lacks.
  int add_tensor(const TensorSpec& spec);
  // Equal constants are stored once. The tensor is row-major.
  int add_constant(const std::string& name, const Tensor& tensor,
                   const std::optional<QParams>& params = std::nullopt);
  // Inputs of -1 are left out. version: of the operator, as runtimes count it.
  void add_operator(fb::Op op, int version, std::vector<int> inputs, std::vector<int> outputs,
                    fb::OptionsUnion options = {});

  const TensorSpec& spec(int tensor) const { return specs_[static_cast<std::size_t>(tensor)]; }
  bool is_constant(int tensor) const;
  void rename(int tensor, const std::string& name);

  struct Operator {
    fb::Op op;
    std::vector<int> inputs, outputs;
  };
  const std::vector<Operator>& operators() const { return operators_; }

  // The bytes; the builder is used up. Throws Code::unsupported beyond 2 GB, the format's limit.
  std::string finish(const std::vector<PortSpec>& inputs, const std::vector<PortSpec>& outputs,
                     const std::map<std::string, std::string>& metadata);

 private:
  std::uint32_t opcode(fb::Op op, int version);
  std::uint32_t add_buffer(const std::byte* bytes, std::size_t count);
  void drop_unused();
  void add_signature(const std::vector<PortSpec>& inputs, const std::vector<PortSpec>& outputs);

  fb::ModelT model_;
  fb::SubGraphT& graph_;
  std::deque<TensorSpec> specs_;  // references to them last
  std::vector<Operator> operators_;
  // By type, shape, parameters and bytes.
  std::map<std::tuple<DType, Shape, std::string, std::string>, int> constants_;
  std::size_t bytes_ = 0;
};

}  // namespace intaglio::tflite
