#include "lib/quant/kernel_limits.h"

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

}  // namespace

std::optional<std::string> kernel_fault(const Node& node, Engine engine) {
  if (engine == Engine::pairs || !node.is("AveragePool")) return std::nullopt;
  if (node.has("dilations"))
    return "onnxruntime's AveragePool on codes knows no attribute 'dilations'";
  if (node.attr_int("ceil_mode", 0) != 0 && node.attr_int("count_include_pad", 0) != 0 &&
      reaches_beyond(node))
    return "onnxruntime's AveragePool on codes divides by another count where the last window "
           "reaches beyond the padding";
  return std::nullopt;
}

}  // namespace intaglio
