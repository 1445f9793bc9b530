#include "apps/report/c_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "apps/pipeline/pixels.h"

namespace intaglio {
namespace {

// "model.int8.h" as MODEL_INT8_H; what cannot begin a name gets an M before it.
std::string macro_of(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    name += byte < 128 && std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return name.empty() || std::isalpha(static_cast<unsigned char>(name.front())) == 0 ? "M" + name
                                                                                     : name;
}

// A literal of C: other bytes than plain letters as octal numbers.
std::string quoted(const std::string& text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 32 || byte > 126 || c == '"' || c == '\\' || c == '?')
      literal += fmt::format("\\{:03o}", byte);
    else
      literal += c;
  }
  return literal + '"';
}

// A formula of p as the body of a macro: the argument may be any expression.
std::string with_argument(const std::string& formula) {
  std::string body;
  for (const char c : formula) body += c == 'p' ? std::string("(p)") : std::string(1, c);
  return body;
}

// Text inside a comment ends no comment.
std::string in_comment(std::string text) {
  for (char& c : text)
    if (c == '*' || static_cast<unsigned char>(c) < 32) c = '_';
  return text;
}

std::string c_type(DType type) {
  switch (type) {
    case DType::f32:
      return "float";
    case DType::f64:
      return "double";
    case DType::u8:
      return "uint8_t";
    case DType::s8:
      return "int8_t";
    case DType::u16:
      return "uint16_t";
    case DType::s16:
      return "int16_t";
    case DType::u32:
      return "uint32_t";
    case DType::s32:
      return "int32_t";
    case DType::u64:
      return "uint64_t";
    case DType::s64:
      return "int64_t";
    case DType::boolean:
      return "uint8_t";
    default:
      return "uint16_t";  // half precision
  }
}

const InterfaceValue* codes_of(const std::vector<InterfaceValue>& values, const std::string& name) {
  const auto it = std::ranges::find(values, name, &InterfaceValue::name);
  return it == values.end() ? nullptr : &*it;
}

// As the file has it: -1 for an axis that is not known, and TFLite's order of axes.
Shape shape_in_file(const Value& v, const std::vector<TflitePort>* ports, std::size_t i) {
  if (ports != nullptr) return ports->at(i).shape;
  Shape shape;
  for (const Dim& dim : v.dims().value_or(Dims{})) shape.push_back(dim.known() ? dim.value : -1);
  return shape;
}

class Header {
 public:
  explicit Header(std::string prefix) : prefix_(std::move(prefix)) {}

  void define(const std::string& name, const std::string& value) {
    text_ += fmt::format("#define {}_{} {}\n", prefix_, name, value);
  }

  void value(const std::string& place, const Value& v, const InterfaceValue* codes,
             const Shape& shape) {
    const bool free = std::ranges::any_of(shape, [](std::int64_t length) { return length < 0; });
    std::int64_t elements = v.dims() ? 1 : 0;
    for (const std::int64_t length : shape) elements *= std::abs(length);
    text_ += '\n';
    define(place + "_NAME", quoted(v.name()));
    define(place + "_TYPE", c_type(v.dtype()));
    define(place + "_RANK", std::to_string(shape.size()));
    if (!shape.empty()) define(place + "_SHAPE", fmt::format("{{{}}}", fmt::join(shape, ", ")));
    if (free) text_ += "/* -1: a free axis, which sizes count as 1. */\n";
    define(place + "_SIZE", std::to_string(elements));
    define(place + "_BYTES",
           std::to_string(elements * static_cast<std::int64_t>(bits_of(v.dtype())) / 8));
    if (codes == nullptr) return;
    define(place + "_SCALE", fmt::format("{:.8e}f", codes->params.scale.front()));
    define(place + "_ZERO_POINT", fmt::format("({})", codes->params.zero_point.front()));
  }

  // value = (pixel * PIXEL_SCALE - MEAN) / STD
  void recipe(const std::string& place, const PreprocessRecipe& recipe,
              const InterfaceValue* codes) {
    const auto list = [](const std::vector<double>& values) {
      std::vector<std::string> texts;
      for (const double v : values) texts.push_back(fmt::format("{:.8e}f", v));
      return fmt::format("{{{}}}", fmt::join(texts, ", "));
    };
    define(place + "_CHANNELS", quoted(std::string(word_of(recipe.channels))));
    define(place + "_PIXEL_SCALE", fmt::format("{:.8e}f", recipe.scale));
    define(place + "_MEAN", list(recipe.mean));
    define(place + "_STD", list(recipe.deviation));
    if (codes == nullptr) return;
    if (const auto pixels = pixel_codes(recipe, codes->params))
      define(place + "_OF_PIXEL(p)", fmt::format("(({})({}))", c_type(codes->params.type),
                                                 with_argument(pixels->formula())));
  }

  std::string text() { return std::move(text_); }

 private:
  std::string prefix_, text_;
};

}  // namespace

std::string c_header(const std::string& path, const std::string& model, const Graph& graph,
                     const Interface& interface, const std::optional<PreprocessRecipe>& recipe,
                     const TfliteFile* tflite) {
  const std::filesystem::path file(path);
  const std::string guard = macro_of(file.filename().string());
  Header header(macro_of(file.stem().string()));
  const std::vector<Value*> feeds = graph.feeds();
  const auto floats = [](const Value* v) {
    return is_float(v->dtype()) || v->dtype() == DType::u8 || v->dtype() == DType::s8;
  };
  const bool one = std::ranges::count_if(feeds, floats) == 1;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const std::string place = fmt::format("INPUT_{}", i);
    const InterfaceValue* codes = codes_of(interface.inputs, feeds[i]->name());
    header.value(place, *feeds[i], codes,
                 shape_in_file(*feeds[i], tflite != nullptr ? &tflite->inputs : nullptr, i));
    if (recipe && one && floats(feeds[i])) header.recipe(place, *recipe, codes);
  }
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Value& output = *graph.outputs()[i];
    header.value(fmt::format("OUTPUT_{}", i), output, codes_of(interface.outputs, output.name()),
                 shape_in_file(output, tflite != nullptr ? &tflite->outputs : nullptr, i));
  }
  return fmt::format(
      "/* Inputs and outputs of {0}, by intaglio {1}.\n"
      "   real = SCALE * (code - ZERO_POINT); of pixels: real = (pixel * PIXEL_SCALE - MEAN) / "
      "STD. */\n"
      "#ifndef {2}\n#define {2}\n\n#include <stdint.h>\n{3}\n#endif\n",
      in_comment(std::filesystem::path(model).filename().string()), INTAGLIO_VERSION, guard,
      header.text());
}

}  // namespace intaglio
