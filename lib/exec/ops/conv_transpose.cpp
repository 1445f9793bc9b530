#include "lib/exec/ops/conv_transpose.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/graph/graph.h"

namespace intaglio {

ConvTransposeAttrs read_conv_transpose(const Node& node) {
  return {read_window(node), node.attr_ints("output_padding"), node.attr_ints("output_shape"),
          node.attr_int("group", 1)};
}

Window place_transposed(const ConvTransposeAttrs& attrs, const Shape& x, const Shape& filters) {
  if (x.size() != filters.size() || x.size() < 3 || x[1] != filters[0] || attrs.group < 1 ||
      x[1] % attrs.group != 0)
    throw Error(Code::model,
                fmt::format("filters of shape {} in {} groups do not fit an input of shape {}",
                            to_string(filters), attrs.group, to_string(x)));
  const std::size_t rank = x.size() - 2;
  const WindowAttrs& from = attrs.window;
  Window w;
  w.output.assign(x.begin() + 2, x.end());
  w.kernel.assign(filters.begin() + 2, filters.end());
  if (!from.kernel.empty() && from.kernel != w.kernel)
    throw Error(Code::model, fmt::format("kernel_shape {} contradicts filters of shape {}",
                                         to_string(from.kernel), to_string(filters)));
  w.strides = window_list(from.strides, rank, 1, 1, "strides");
  w.dilations = window_list(from.dilations, rank, 1, 1, "dilations");
  const Shape pads = window_list(from.pads, 2 * rank, 0, 0, "pads");
  const Shape extra = window_list(attrs.output_padding, rank, 0, 0, "output_padding");
  Shape wanted = attrs.output_shape;
  if (wanted.size() == rank + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (!wanted.empty()) wanted = window_list(wanted, rank, 0, 0, "output_shape");
  w.input.resize(rank);
  w.begin.resize(rank);
  w.end.resize(rank);
  for (std::size_t a = 0; a < rank; ++a) {
    if (w.kernel[a] < 1)
      throw Error(Code::model, fmt::format("filters of shape {} are empty", to_string(filters)));
    const std::int64_t whole = (w.output[a] - 1) * w.strides[a] + extra[a] + w.extent(a);
    if (wanted.empty() && !from.auto_pad.starts_with("SAME")) {
      w.begin[a] = from.auto_pad == "VALID" ? 0 : pads[a];
      w.end[a] = from.auto_pad == "VALID" ? 0 : pads[rank + a];
      w.input[a] = whole - w.begin[a] - w.end[a];
    } else {
      w.input[a] = wanted.empty() ? w.output[a] * w.strides[a] : wanted[a];
      const std::int64_t total = std::max<std::int64_t>(0, whole - w.input[a]);
      w.begin[a] = from.auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.end[a] = total - w.begin[a];
    }
  }
  return w;
}

}  // namespace intaglio
