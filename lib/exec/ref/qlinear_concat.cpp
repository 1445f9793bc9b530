// com.microsoft.QLinearConcat (1): tensors of 8-bit codes with their own scale and zero point,
// joined as codes of a common one. Inputs: scale and zero point of the result, then tensor, scale
// and zero point of each operand.
#include <fmt/format.h>

#include <cstring>

#include "lib/exec/arguments.h"
#include "lib/exec/ops/codes/arithmetic.h"
#include "lib/exec/registry.h"
#include "lib/exec/shape_rule.h"

namespace intaglio {
namespace {

constexpr std::size_t first = 2, stride = 3;

Shape joined_shape(const KernelContext& c, std::size_t axis) {
  Shape result = c.input(first).shape();
  for (std::size_t i = first + stride; i < c.input_count(); i += stride) {
    Shape next = c.input(i).shape();
    if (next.size() == result.size()) next[axis] = result[axis] += next[axis];
    if (next != result || c.input(i).dtype() != c.input(first).dtype())
      throw Error(Code::model,
                  fmt::format("operand {} of shape {} does not continue shape {} along "
                              "axis {}",
                              (i - first) / stride, to_string(c.input(i).shape()),
                              to_string(c.input(first).shape()), axis));
  }
  return result;
}

std::unique_ptr<Kernel> make_concat(const Node& node) {
  return make_kernel(
      [given = node.attr_int("axis")](KernelContext& c) {
        const CodeParams to = code_params(c, 0);
        const DType type = c.input(first).dtype();
        const std::int64_t axis = normalized_axis(given, c.input(first).rank());
        // Channels of channels-last images are the last axis in memory.
        bool last = axis == 1;
        for (std::size_t i = first; i < c.input_count(); i += stride)
          last &= c.input(i).layout() == Layout::channels_last;
        Tensor& result = c.output(0, type, joined_shape(c, static_cast<std::size_t>(axis)));
        if (last) result.set_layout(Layout::channels_last);
        const auto view_of = [last, axis](const Tensor& t) {
          return last ? AxisView(storage_shape(t), t.rank() - 1) : AxisView(t.shape(), axis);
        };
        const AxisView view = view_of(result);
        std::byte* out = result.raw_mutate();
        for (std::size_t i = first; i < c.input_count(); i += stride) {
          const CodeParams from = code_params(c, i + 1);
          const CodeTable table = tabulate(type, from, to, [](std::span<float>) {});
          const Tensor operand = last ? c.input(i) : to_row_major(c.input(i));
          const AxisView own = view_of(operand);
          const std::int64_t block = own.length * own.inner;
          for (std::int64_t o = 0; block > 0 && o < own.outer; ++o) {
            const std::byte* codes = operand.raw() + o * block;
            std::byte* place = out + o * view.length * view.inner;
            if (from == to) {
              std::memcpy(place, codes, static_cast<std::size_t>(block));
            } else {
              look_up(codes, block, table, place);
            }
          }
          out += block;
        }
      },
      Layouts::any);
}

void infer_concat(RuleContext& c) {
  c.set(0, c.dtype(first));
  if (!c.dims(first)) return;
  Dims dims = *c.dims(first);
  const std::size_t axis = axis_of(c.node().attr_int("axis"), dims);
  for (std::size_t i = first + stride; i < c.input_count(); i += stride)
    dims[axis] = c.dims(i) ? sum(dims[axis], c.dims(i)->at(axis)) : Dim{};
  c.set(0, c.dtype(first), dims);
}

}  // namespace

void register_qlinear_concat(Registry& registry) {
  registry.add({.op = "QLinearConcat",
                .domain = "com.microsoft",
                .make = make_concat,
                .infer = infer_concat});
}

}  // namespace intaglio
