#include "apps/pipeline/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lib/io/check.h"

namespace intaglio {
namespace {

constexpr std::int64_t longest = 1 << 30;

[[noreturn]] void refuse_shape(std::string_view text) {
  throw Error(Code::usage, fmt::format("--shape {}: is no NAME=1x3x224x224", text),
              "Give the name of an input and the length of each of its axes, at least 1.");
}

bool has_open_axis(const Dims& dims) { return !std::ranges::all_of(dims, &Dim::known); }

}  // namespace

std::pair<std::string, Shape> parse_shape(std::string_view text) {
  const std::size_t at = text.rfind('=');
  if (at == std::string_view::npos || at == 0) refuse_shape(text);
  Shape shape;
  for (const char* p = text.data() + at + 1; p <= text.data() + text.size(); ++p) {
    std::int64_t length = 0;
    const auto [end, error] = std::from_chars(p, text.data() + text.size(), length);
    const bool more = end != text.data() + text.size();
    if (error != std::errc() || length < 1 || length > longest || (more && *end != 'x'))
      refuse_shape(text);
    shape.push_back(length);
    p = end;
  }
  if (shape.empty()) refuse_shape(text);
  return {std::string(text.substr(0, at)), shape};
}

ShapeRequest shapes_for(const FormOptions& options, const Target& target) {
  ShapeRequest request = options.shapes;
  if ((target.fixed_shapes || !options.traits().onnx) && !request.batch) request.batch = 1;
  return request;
}

void require_fixable(const FormOptions& options, const Target& target, const Graph& graph,
                     const std::string& path) {
  const std::vector<FixedShape> fixed = fixed_shapes(graph, shapes_for(options, target));
  if (!target.fixed_shapes) return;
  for (const Value* feed : graph.feeds()) {
    const auto it = std::ranges::find(fixed, feed->name(), &FixedShape::input);
    const std::optional<Dims> dims = it != fixed.end() ? it->after : feed->dims();
    if (dims && !has_open_axis(*dims)) continue;
    throw Error(Code::unsupported,
                fmt::format("{}: input '{}' {}: target '{}' needs all lengths", path, feed->name(),
                            dims ? to_string(*dims) : "of unknown rank", target.name),
                fmt::format("Give them: --shape {}=1x...", feed->name()));
  }
}

std::vector<FixedShape> fix_output(Model& model, const FormOptions& options, const Target& target) {
  std::vector<FixedShape> fixed = fix_shapes(model, shapes_for(options, target));
  if (fixed.empty()) return fixed;
  if (const auto reason = invalid_reason(model))
    throw Error(Code::usage,
                fmt::format("the model does not take these shapes ({}): {}", text_of(fixed.front()),
                            *reason),
                "Give others with --batch or --shape.");
  return fixed;
}

std::optional<Size> image_size(const ShapeRequest& shapes, const Graph& graph) {
  const auto is_channels = [](std::int64_t n) { return n == 1 || n == 3 || n == 4; };
  for (const Value* feed : graph.feeds()) {
    const auto it = shapes.shapes.find(feed->name());
    if (it == shapes.shapes.end() || it->second.size() != 4 || !feed->dims() ||
        feed->dims()->size() != 4)
      continue;
    const std::size_t h = is_channels(it->second[1]) ? 2 : 1;
    const Dim &height = (*feed->dims())[h], &width = (*feed->dims())[h + 1];
    if (height.known() && width.known()) continue;
    return Size{static_cast<int>(it->second[h + 1]), static_cast<int>(it->second[h])};
  }
  return std::nullopt;
}

std::string text_of(const FixedShape& fixed) {
  return fmt::format("input '{}' {} is {} in the file", fixed.input, to_string(fixed.before),
                     to_string(fixed.after));
}

}  // namespace intaglio
