#include "lib/exec/vector/codes/conv.h"

#include <algorithm>

#include "lib/exec/ops/codes/quantization.h"
#include "lib/exec/ops/float_io.h"
#include "lib/exec/vector/padded.h"

namespace intaglio {
namespace {

constexpr std::int64_t slack_bytes = 64;

// Inputs of QLinearConv.
enum : std::size_t {
  in_x,
  in_x_scale,
  in_x_zero,
  in_w,
  in_w_scale,
  in_w_zero,
  in_y_scale,
  in_y_zero,
  in_bias
};

const Tensor& constant(const Node& node, std::size_t i) { return node.input(i)->constant(); }

std::int32_t single(const Tensor& tensor) { return tensor.item<std::int32_t>(); }

}  // namespace

CodeConv::CodeConv(const Node& node)
    : attrs(read_window(node)),
      geometry(constant(node, in_w).shape(), node.attr_int("group", 1)),
      filters(constant(node, in_w)),
      x_zero(single(constant(node, in_x_zero)) +
             (node.input(in_x)->dtype() == DType::s8 ? 128 : 0)),
      type(constant(node, in_y_zero).dtype()),
      y_zero(single(constant(node, in_y_zero))) {
  const auto outputs = static_cast<std::size_t>(geometry.outputs());
  const auto w = filters.data<std::int8_t>();
  const std::size_t size = w.size() / outputs;
  const float x_scale = as_float(constant(node, in_x_scale)).item<float>(),
              y_scale = as_float(constant(node, in_y_scale)).item<float>();
  const Tensor w_scale = as_float(constant(node, in_w_scale));
  for (std::size_t m = 0; m < outputs; ++m) {
    std::int32_t sum = 0;
    for (std::size_t i = m * size; i < (m + 1) * size; ++i) sum += w[i];
    const std::int32_t bias =
        node.input(in_bias) != nullptr ? constant(node, in_bias).data<std::int32_t>()[m] : 0;
    start.push_back(
        static_cast<std::int32_t>(static_cast<std::int64_t>(bias) - std::int64_t{x_zero} * sum));
    multipliers.push_back(x_scale * w_scale.data<float>()[w_scale.size() == 1 ? 0 : m] / y_scale);
  }
}

CodeEnding CodeConv::ending(const float* by_column) const {
  const CodeRange range = code_range(type);
  return {by_column, static_cast<float>(range.hi - y_zero), y_zero, type == DType::s8};
}

CodeConv::Images CodeConv::padded_images(const Tensor& x, const Window& w, bool slack) const {
  const CoveredPart part(w);
  const std::int64_t channels = x.dim(1), batch = x.dim(0),
                     size = batch * part.height * part.width * channels;
  const Tensor images = as_stored(to_channels_last(x));
  const std::uint8_t flip = x.dtype() == DType::s8 ? 128 : 0;
  if (part.lies_in_place(w) && batch == 1 && flip == 0 && !slack)
    return {images, part.height, part.width};
  Tensor padded(DType::u8, {size + slack_bytes});
  std::uint8_t* const bytes = padded.mutate<std::uint8_t>().data();
  const auto zero = static_cast<std::uint8_t>(x_zero ^ flip);  // as x has it
  copy_covered(reinterpret_cast<const std::uint8_t*>(images.raw()), batch, channels, w, zero,
               bytes);
  std::fill_n(bytes + size, slack_bytes, zero);
  if (flip != 0)
    for (std::int64_t i = 0; i < size + slack_bytes; ++i) bytes[i] ^= flip;
  return {std::move(padded), part.height, part.width};
}

Refusal refuse_code_conv(const Node& node) {
  if (!has_code_tiles()) return "the processor has no AVX-512 VNNI";
  for (std::size_t i = in_x_scale; i <= in_bias; ++i)
    if (node.input(i) != nullptr && !node.input(i)->is_constant())
      return "parameters that are not constant";
  const Value* x = node.input(in_x);
  if (x->dtype() != DType::u8 && x->dtype() != DType::s8) return "codes of unknown type";
  const Tensor& w = constant(node, in_w);
  if (w.dtype() != DType::s8) return "weights that are not int8";
  const Tensor zero = convert(constant(node, in_w_zero), DType::s32);
  const auto zeros = zero.data<std::int32_t>();
  if (std::any_of(zeros.begin(), zeros.end(), [](std::int32_t z) { return z != 0; }))
    return "weights with zero points";
  if (w.rank() != 4) return "not two spatial axes";
  const DType y = constant(node, in_y_zero).dtype();
  if (y != DType::u8 && y != DType::s8) return "results that do not have 8 bits";
  for (const std::size_t i : {in_x_scale, in_x_zero, in_y_scale, in_y_zero})
    if (constant(node, i).size() != 1) return "several scales of an activation";
  const std::int64_t scales = constant(node, in_w_scale).size();
  if (scales != 1 && scales != w.dim(0)) return "scales that do not fit the filters";
  if (node.input(in_bias) != nullptr &&
      (constant(node, in_bias).dtype() != DType::s32 || constant(node, in_bias).size() != w.dim(0)))
    return "a bias that does not fit the filters";
  return std::nullopt;
}

Tensor code_result(const CodeConv& conv, const Tensor& x, const Window& window) {
  Tensor y(conv.type, {x.dim(0), conv.geometry.outputs(), window.output[0], window.output[1]});
  y.set_layout(Layout::channels_last);
  return y;
}

}  // namespace intaglio
