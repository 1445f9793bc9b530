#include "apps/pipeline/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lib/exec/executor.h"
#include "lib/io/check.h"

namespace intaglio {
namespace {

constexpr std::int64_t longest = 1 << 30;

[[noreturn]] void refuse_shape(std::string_view text) {
  throw Error(Code::usage, fmt::format("--shape {}: is no NAME=1x3x224x224", text),
              "Give the name of an input and the length of each of its axes, at least 1.");
}

// What --batch says about inputs that have no open batch would be ignored.
void require_effect(const ShapeRequest& asked, const Graph& graph) {
  const auto takes_batch = [&](const Value* feed) {
    return feed->dims() && !feed->dims()->empty() && !feed->dims()->front().known() &&
           !asked.shapes.contains(feed->name());
  };
  if (asked.batch && std::ranges::none_of(graph.feeds(), takes_batch))
    throw Error(Code::usage,
                fmt::format("--batch {}: no input leaves its first axis open", *asked.batch),
                "Leave it out; --shape gives whole shapes.");
}

// Ones: they are tokens, lengths and masks that most models take.
Tensor ones_for(const Value& feed) {
  Shape shape;
  for (const Dim& dim : *feed.dims()) shape.push_back(dim.value);
  Tensor ones(DType::f32, shape);
  std::ranges::fill(ones.mutate<float>(), 1.0f);
  return convert(ones, feed.dtype());
}

bool fits(const Dims& dims, const Shape& shape) {
  return std::ranges::equal(dims, shape, [](const Dim& dim, std::int64_t length) {
    return !dim.known() || dim.value == length;
  });
}

// Constants inside may want other lengths than the inputs have now (a Reshape to [1,512], a Squeeze
// of the batch), which no annotation tells: the model is run once, on ones.
void require_runs(const Model& model) {
  std::vector<Tensor> feeds;
  for (const Value* feed : model.graph().feeds()) {
    if (!feed->dims() || !all_known(*feed->dims()) || bits_of(feed->dtype()) == 0) return;
    feeds.push_back(ones_for(*feed));
  }
  const std::vector<Tensor> results = Executor(model.graph()).run(feeds);
  const auto outputs = model.graph().outputs();
  for (std::size_t i = 0; i < results.size(); ++i)
    if (outputs[i]->dims() && !fits(*outputs[i]->dims(), results[i].shape()))
      throw Error(Code::model,
                  fmt::format("output '{}' would be {}, not {}", outputs[i]->name(),
                              to_string(results[i].shape()), to_string(*outputs[i]->dims())));
}

// what: was fixed.
void require_taken(const Model& model, const ShapeRequest& request, const std::string& what,
                   const std::string& path) {
  Model shaped = model.clone();
  fix_shapes(shaped, request);
  try {
    require_runs(shaped);
  } catch (const Error& e) {
    if (e.code() == Code::internal || e.code() == Code::interrupted) throw;
    if (e.code() == Code::unsupported) return;  // it cannot be run here in any shape
    throw Error(Code::usage, fmt::format("{}: does not run where {}: {}", path, what, e.what()),
                "Give the --batch and --shape that the model was exported for.");
  }
}

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

void require_fixable(const FormOptions& options, const Target& target, const Model& model,
                     const std::string& path) {
  const Graph& graph = model.graph();
  require_effect(options.shapes, graph);
  const ShapeRequest request = shapes_for(options, target);
  const std::vector<FixedShape> fixed = fixed_shapes(graph, request);
  if (!fixed.empty()) require_taken(model, request, text_of(fixed.front()), path);
  if (!target.fixed_shapes) return;
  for (const Value* feed : graph.feeds()) {
    const auto it = std::ranges::find(fixed, feed->name(), &FixedShape::input);
    const std::optional<Dims> dims = it != fixed.end() ? it->after : feed->dims();
    if (dims && all_known(*dims)) continue;
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
