#include <onnx/defs/parser.h>

#include "lib/graph/codec.h"

namespace intaglio {

Model parse_model(std::string_view text) {
  onnx::ModelProto message;
  const auto status = onnx::OnnxParser::Parse(message, std::string(text).c_str());
  if (!status.IsOK())
    throw Error(Code::model, "the text form does not parse: " + status.ErrorMessage());
  return from_proto(std::move(message));
}

}  // namespace intaglio
