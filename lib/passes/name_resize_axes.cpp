// name_resize_axes
//   Before: Resize <axes> with constant scales or sizes of these axes alone (opset 18).
//   After:  the scales or sizes of all axes; a keep_aspect_ratio_policy is worked into them. Where
//           they do not say the same, images are resized between two Reshapes: [N * C, 1, H, W].
//   Why:    onnxruntime (1.31) moves Transposes of its own through a quantized Resize, and then
//           does not load the model: it takes the sizes for those of all axes. No Transpose
//           goes through a Reshape.
//   Kept:   regions of interest, and what is no image of a known number of channels.

#include <algorithm>
#include <cmath>

#include "lib/passes/list.h"
#include "lib/passes/opset/rank.h"

namespace intaglio {
namespace {

// Scales or sizes of all axes; one of them is undefined.
struct Whole {
  Tensor scales, sizes;
};

// The lengths along the axes, when all are known.
std::optional<Shape> lengths_of(const Dims& dims, const std::vector<std::size_t>& axes) {
  Shape lengths;
  for (const std::size_t axis : axes) {
    if (dims[axis].value < 1) return std::nullopt;
    lengths.push_back(dims[axis].value);
  }
  return lengths;
}

// The scales that make the sizes, one for all axes under a policy; nullopt: there are none. The
// length of a result is floor(length * scale), in float.
std::optional<std::vector<float>> scales_for(const Shape& lengths, Shape sizes,
                                             const std::string& policy) {
  std::vector<float> scales;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    scales.push_back(static_cast<float>(sizes[i]) / static_cast<float>(lengths[i]));
  constexpr float longest = 0x1p30f;
  if (!std::ranges::all_of(scales, [&](float s) { return s > 0 && s < longest; }))
    return std::nullopt;
  if (policy != "stretch") {
    const auto [least, most] = std::ranges::minmax(scales);
    std::ranges::fill(scales, policy == "not_larger" ? least : most);
    for (std::size_t i = 0; i < sizes.size(); ++i)
      sizes[i] =
          static_cast<std::int64_t>(std::floor(scales[i] * static_cast<float>(lengths[i]) + 0.5f));
  }
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (!(scales[i] > 0) || static_cast<std::int64_t>(
                                std::floor(static_cast<float>(lengths[i]) * scales[i])) != sizes[i])
      return std::nullopt;
  return scales;
}

std::optional<Whole> whole(const Node& node, const std::vector<std::size_t>& axes) {
  const Dims& dims = *node.input(0)->dims();
  const Tensor scales = known_value(node.input(2)), sizes = known_value(node.input(3));
  const bool by_sizes = sizes.defined() && sizes.size() > 0;
  const Tensor& given = by_sizes ? sizes : scales;
  if (!given.defined() || given.size() != std::ssize(axes) || axes.empty()) return std::nullopt;
  const std::string policy = node.attr_string("keep_aspect_ratio_policy", "stretch");
  std::vector<float> all(dims.size(), 1.0f);
  std::vector<float> own = by_sizes ? std::vector<float>{} : scales.to_vector<float>();
  if (by_sizes) {
    const Shape wanted = sizes.to_vector<std::int64_t>();
    Shape lengths;
    for (const Dim& d : dims) lengths.push_back(d.value);
    if (policy == "stretch" && std::ranges::all_of(dims, &Dim::known)) {
      for (std::size_t i = 0; i < axes.size(); ++i) lengths[axes[i]] = wanted[i];
      return Whole{.scales = {}, .sizes = Tensor::vector(lengths)};
    }
    const auto before = lengths_of(dims, axes);
    const auto found = before ? scales_for(*before, wanted, policy) : std::nullopt;
    if (!found) return std::nullopt;
    own = *found;
  }
  for (std::size_t i = 0; i < axes.size(); ++i) all[axes[i]] = own[i];
  return Whole{.scales = Tensor::vector(all), .sizes = {}};
}

bool is_reshape(const Value& value) {
  return value.producer() != nullptr && value.producer()->is("Reshape");
}

// Whether the lengths that are known give a number of elements at all.
bool is_countable(const Dims& dims) {
  std::int64_t count = 1;
  return std::ranges::all_of(dims, [&](const Dim& d) {
    return !d.known() || !__builtin_mul_overflow(count, d.value, &count);
  });
}

// The Resize of an image sees each channel as an image of its own.
bool wall_in(Node& node, const std::vector<std::size_t>& axes) {
  Value &x = *node.input(0), &y = *node.output(0);
  const Dims& dims = *x.dims();
  const bool image = dims.size() == 4 && std::ranges::all_of(axes, [](auto a) { return a >= 2; });
  if (!image || dims[1].value < 2 || is_reshape(x) || !is_countable(dims)) return false;
  Graph& graph = node.graph();
  const auto reshape = [&](Value& from, Value& to, std::vector<std::int64_t> shape) {
    Value& target = graph.add_constant(to.name() + "_shape", Tensor::vector(shape));
    graph.add_node("Reshape", to.name(), {&from, &target}, {&to});
  };
  const auto apart = [&](const Value& value, const char* suffix) -> Value& {
    std::optional<Dims> shape = value.dims();
    if (shape && shape->size() == 4) {
      const bool known = (*shape)[0].known();
      (*shape)[0] = {known ? (*shape)[0].value * dims[1].value : -1, {}};
      (*shape)[1] = {1, {}};
    }
    return graph.add_value(value.name() + suffix, value.dtype(), shape);
  };
  Value &before = apart(x, "_apart"), &after = apart(y, "_apart");
  graph.set_input(node, 0, &before);
  graph.set_output(node, 0, after);
  reshape(x, before, {-1, 1, 0, 0});
  reshape(after, y, {-1, dims[1].value, 0, 0});
  return true;
}

bool name_all(Node& node) {
  const bool crops =
      node.attr_string("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
  if (!node.has("axes") || crops || node.input(0) == nullptr || !node.input(0)->dims())
    return false;
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : node.attr_ints("axes"))
    axes.push_back(static_cast<std::size_t>(normalized_axis(axis, node.input(0)->rank())));
  const auto all = whole(node, axes);
  if (!all) return wall_in(node, axes);
  Graph& graph = node.graph();
  const auto constant = [&](std::string_view what, const Tensor& tensor) -> Value* {
    if (!tensor.defined()) return nullptr;
    return &graph.add_constant(node.output(0)->name() + std::string(what), tensor);
  };
  graph.trim_inputs(node, 1);
  graph.set_input(node, 2, constant("_scales", all->scales));
  if (all->sizes.defined()) graph.set_input(node, 3, constant("_sizes", all->sizes));
  for (const char* attr : {"axes", "keep_aspect_ratio_policy"}) node.erase_attr(attr);
  return true;
}

}  // namespace

int name_resize_axes(Model& model, const PrepareOptions&) {
  int rewrites = 0;
  for (Graph* graph : all_graphs(model))
    for (Node* node : graph->nodes())
      if (node->is("Resize") && node->output(0) != nullptr) rewrites += name_all(*node);
  return rewrites;
}

}  // namespace intaglio
