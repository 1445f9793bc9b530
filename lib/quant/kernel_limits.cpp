#include "lib/quant/kernel_limits.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "lib/graph/ops.h"

namespace intaglio {
namespace {

// Whether the last window along some axis reaches beyond the padding.
bool reaches_beyond(const Node& pool) {
  const auto kernel = pool.attr_ints("kernel_shape"), pads = pool.attr_ints("pads"),
             strides = pool.attr_ints("strides");
  if (!pool.attr_string("auto_pad", "NOTSET").starts_with("NOT")) return false;
  const Value* x = pool.input(0);
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    if (!x->dims() || i + 2 >= x->dims()->size() || !(*x->dims())[i + 2].known()) return true;
    const std::int64_t stride = i < strides.size() ? strides[i] : 1;
    const std::int64_t padding =
        pads.size() == 2 * kernel.size() ? pads[i] + pads[i + kernel.size()] : 0;
    const std::int64_t room = (*x->dims())[i + 2].value + padding - kernel[i];
    if (stride > 0 && room % stride != 0) return true;
  }
  return false;
}

// Whether a node may make images smaller along some axis.
bool may_shrink(const Node& resize) {
  if (resize.input(0) == nullptr || resize.output(0) == nullptr) return true;
  const auto& from = resize.input(0)->dims();
  const auto& to = resize.output(0)->dims();
  if (!from || !to || from->size() != to->size()) return true;
  for (std::size_t i = 2; i < to->size(); ++i)
    if (!(*from)[i].known() || !(*to)[i].known() || (*to)[i].value < (*from)[i].value) return true;
  return false;
}

bool is_on_images(const Node& node) {
  return is_any(node, {"Conv", "ConvTranspose", "QLinearConv", "MaxPool", "AveragePool"});
}

bool is_shrinking_cubic(const Node& node) {
  return node.is("Resize") && node.attr_string("mode", "nearest") == "cubic" && may_shrink(node);
}

// The nearest node of the wanted kind that the value is made of by operators that work in any order
// of the axes: the runtime moves a Transpose through these.
const Node* maker_of(const Value* value, bool (*wanted)(const Node&)) {
  std::vector<const Value*> open = {value};
  std::set<const Node*> seen;
  while (!open.empty()) {
    const Node* node = open.back() != nullptr ? open.back()->producer() : nullptr;
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    if (wanted(*node)) return node;
    if (!is_any(*node, {"Conv", "ConvTranspose", "Reshape", "Flatten", "Gemm", "MatMul"}))
      for (const Value* input : node->inputs()) open.push_back(input);
  }
  return nullptr;
}

// Between two layers on images, of which this is the second.
bool follows_cubic_resize(const Node& node) {
  if (!is_on_images(node)) return false;
  const Node* resize = maker_of(node.input(0), is_shrinking_cubic);
  return resize != nullptr && maker_of(resize->input(0), is_on_images) != nullptr;
}

}  // namespace

std::optional<std::string> slow_kernel(const Node& node, Engine engine) {
  if (engine != Engine::onnxruntime_x86 || !node.is("Conv")) return std::nullopt;
  const std::int64_t groups = node.attr_int("group", 1);
  const Value* weight = node.input(1);
  if (groups >= 16 || weight == nullptr || !weight->dims() || weight->dims()->size() < 3)
    return std::nullopt;
  if ((*weight->dims())[0].value != groups || (*weight->dims())[1].value != 1) return std::nullopt;
  return groups == 1 ? "one channel to one: onnxruntime takes longer for it in integers"
                     : fmt::format(
                           "depthwise, of {} channels: onnxruntime takes longer for it in "
                           "integers than in float below 16",
                           groups);
}

std::optional<std::string> kernel_fault(const Node& node, Engine engine) {
  if (engine == Engine::pairs) return std::nullopt;
  if (follows_cubic_resize(node))
    return "onnxruntime puts channels last from the layer in front of a cubic Resize to this one, "
           "and its Resize fails on such images";
  if (!node.is("AveragePool")) return std::nullopt;
  if (node.has("dilations"))
    return "onnxruntime's AveragePool on codes knows no attribute 'dilations'";
  if (node.attr_int("ceil_mode", 0) != 0 && node.attr_int("count_include_pad", 0) != 0 &&
      reaches_beyond(node))
    return "onnxruntime's AveragePool on codes divides by another count where the last window "
           "reaches beyond the padding";
  return std::nullopt;
}

}  // namespace intaglio
