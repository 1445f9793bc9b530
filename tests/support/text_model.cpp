#include "tests/support/text_model.h"

#include <fmt/format.h>

#include <stdexcept>

#include "lib/exec/infer.h"

namespace intaglio::testing {
namespace {

void join(std::string& list, std::string_view more, std::string_view separator = ", ") {
  if (!list.empty()) list += separator;
  list += more;
}

}  // namespace

TextModel& TextModel::ir(int version) {
  ir_ = version;
  return *this;
}

TextModel& TextModel::opset(int version) {
  opset_ = version;
  return *this;
}

TextModel& TextModel::domain(std::string_view name, int version) {
  join(imports_, fmt::format("\"{}\": {}", name, version));
  return *this;
}

TextModel& TextModel::producer(std::string_view name) {
  producer_ = fmt::format(", producer_name: \"{}\"", name);
  return *this;
}

TextModel& TextModel::input(std::string_view declarations) {
  join(inputs_, declarations);
  return *this;
}

TextModel& TextModel::output(std::string_view declarations) {
  join(outputs_, declarations);
  return *this;
}

TextModel& TextModel::constants(std::string_view definitions) {
  join(constants_, definitions);
  return *this;
}

TextModel& TextModel::nodes(std::string_view statements) {
  join(nodes_, statements, "\n");
  return *this;
}

TextModel TextModel::graph(std::string_view whole) const {
  if (!inputs_.empty() || !outputs_.empty() || !constants_.empty() || !nodes_.empty())
    throw std::logic_error("TextModel: a graph is given as a whole or in parts");
  const auto start = whole.find_first_not_of(" \n");
  if (start != std::string_view::npos && whole[start] == '<')
    throw std::logic_error("TextModel writes the header: the text of a graph comes without one");
  TextModel result = *this;
  result.whole_ = whole;
  return result;
}

std::string TextModel::text() const {
  std::string imports = opset_ > 0 ? fmt::format("\"\": {}", opset_) : "";
  if (!imports_.empty()) join(imports, imports_);
  const std::string head =
      fmt::format("<ir_version: {}, opset_import: [{}]{}>\ng ", ir_, imports, producer_);
  if (!whole_.empty()) return head + whole_;
  const std::string constants = constants_.empty() ? "" : fmt::format("<{}> ", constants_);
  return fmt::format("{}({}) => ({}) {}{{ {} }}", head, inputs_, outputs_, constants, nodes_);
}

Model TextModel::model() const { return parse_model(text()); }

Model TextModel::typed() const {
  Model model = this->model();
  infer_types(model);
  return model;
}

TextModel square_detector(const std::string& shift) {
  return TextModel()
      .input("float[1,3,48,48] image")
      .output("float[1,4,2] scores, float[1,4,4] boxes")
      .constants("int64[3] lines = {1, 3, 4}, int64[1] two = {2}, int64[1] zero = {0}")
      .constants("int64[1] last = {2}")
      .constants(
          "float[1,4,4] anchors = {0, 0, 0.5, 0.5, 0.5, 0, 1, 0.5, 0, 0.5, 0.5, 1, 0.5, 0.5, "
          "1, 1}")
      .constants("float by = {" + shift + "}")
      .nodes("mean = AveragePool <kernel_shape = [24, 24], strides = [24, 24]> (image)")
      .nodes("rows = Reshape(mean, lines)")
      .nodes("places = Transpose <perm = [0, 2, 1]> (rows)")
      .nodes("pair = Slice(places, zero, two, last)")
      .nodes("scores = Softmax <axis = 2> (pair)")
      .nodes("boxes = Add(anchors, by)");
}

}  // namespace intaglio::testing
