// What the tests of TFLite files share: a file read back through the verifier of FlatBuffers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

// The code that flatc makes of lib/tflite/tflite.fbs.
#include <tflite_generated.h>

#include "lib/exec/infer.h"
#include "lib/rewrite/qdq.h"
#include "lib/tflite/write.h"
#include "tests/rewrite/support.h"

namespace intaglio::testing {

namespace fb = tflite::fb;

inline Target tflite_target() { return read_target(source_dir() / "configs" / "tflite-like.json"); }

// The model between pairs, every activation in [-4, 4].
inline Model in_pairs(const std::string& text, int opset = 13, const Selection& selection = {}) {
  Model model = model_of(text, opset);
  write_qdq(model, plan_of(model, tflite_target(), selection));
  infer_types(model);
  return model;
}

class ReadFile {
 public:
  explicit ReadFile(const Model& model) : file_(tflite_file(model)) {
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(file_.bytes.data()),
                                   file_.bytes.size());
    if (!fb::VerifyModelBuffer(verifier)) throw std::logic_error("the verifier refuses the file");
    fb::GetModel(file_.bytes.data())->UnPackTo(&model_);
  }

  const TfliteFile& file() const { return file_; }
  const fb::ModelT& model() const { return model_; }
  const fb::SubGraphT& graph() const { return *model_.subgraphs.front(); }

  // "CONV_2D RESHAPE", in their order.
  std::string ops() const {
    std::string text;
    for (const auto& op : graph().operators)
      text += (text.empty() ? "" : " ") + std::string(fb::EnumNameOp(code_of(*op).code));
    return text;
  }
  const fb::OperatorCodeT& code_of(const fb::OperatorT& op) const {
    return *model_.operator_codes.at(op.opcode_index);
  }
  const fb::OperatorT& op(fb::Op code) const {
    for (const auto& op : graph().operators)
      if (code_of(*op).code == code) return *op;
    throw std::logic_error(std::string("no ") + fb::EnumNameOp(code));
  }
  // Input i of an operator.
  const fb::TensorT& input(const fb::OperatorT& op, std::size_t i) const {
    return *graph().tensors.at(static_cast<std::size_t>(op.inputs.at(i)));
  }
  const fb::TensorT& output(const fb::OperatorT& op, std::size_t i = 0) const {
    return *graph().tensors.at(static_cast<std::size_t>(op.outputs.at(i)));
  }
  // The elements of a constant.
  template <typename T>
  std::vector<T> values(const fb::TensorT& tensor) const {
    const auto& data = model_.buffers.at(tensor.buffer)->data;
    std::vector<T> result(data.size() / sizeof(T));
    std::memcpy(result.data(), data.data(), data.size());
    return result;
  }

 private:
  TfliteFile file_;
  fb::ModelT model_;
};

// Scale and zero point of a tensor of codes.
inline void expect_params(const fb::TensorT& tensor, const QParams& params) {
  ASSERT_NE(tensor.quantization, nullptr) << tensor.name;
  EXPECT_EQ(tensor.quantization->scale, params.scale) << tensor.name;
  const std::vector<std::int64_t> zeros(params.zero_point.begin(), params.zero_point.end());
  EXPECT_EQ(tensor.quantization->zero_point, zeros) << tensor.name;
}

}  // namespace intaglio::testing
