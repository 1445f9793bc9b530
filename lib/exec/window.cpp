#include "lib/exec/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"

namespace intaglio {
namespace {

// Far beyond every real kernel, stride, dilation and padding; products of two still fit 64 bits.
constexpr std::int64_t limit = std::int64_t{1} << 30;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

void place_same(Window& w, std::size_t axis, bool upper) {
  const std::int64_t input = w.input[axis], stride = w.strides[axis];
  w.output[axis] = ceil_div(input, stride);
  const std::int64_t total =
      std::max<std::int64_t>(0, (w.output[axis] - 1) * stride + w.extent(axis) - input);
  const std::int64_t less = total / 2, more = total - less;
  w.begin[axis] = upper ? less : more;
  w.end[axis] = upper ? more : less;
}

void place_padded(Window& w, std::size_t axis, bool ceil_mode) {
  const std::int64_t stride = w.strides[axis];
  const std::int64_t span = w.input[axis] + w.begin[axis] + w.end[axis] - w.extent(axis);
  if (span < 0)
    throw Error(Code::model,
                fmt::format("a window of {} does not fit an axis of {} padded by {} and {}",
                            w.extent(axis), w.input[axis], w.begin[axis], w.end[axis]));
  std::int64_t count = (ceil_mode ? ceil_div(span, stride) : span / stride) + 1;
  // No window may start in the padding behind the input.
  if (ceil_mode && (count - 1) * stride >= w.input[axis] + w.begin[axis]) --count;
  w.output[axis] = count;
}

}  // namespace

Shape window_list(const Shape& given, std::size_t count, std::int64_t fallback, std::int64_t least,
                  std::string_view what) {
  if (given.empty()) return Shape(count, fallback);
  if (given.size() != count)
    throw Error(Code::model,
                fmt::format("{} has {} entries, {} are needed", what, given.size(), count));
  for (const std::int64_t v : given)
    if (v < least || v > limit)
      throw Error(Code::model, fmt::format("{} {} is out of range", what, to_string(given)));
  return given;
}

WindowAttrs read_window(const Node& node) {
  WindowAttrs attrs;
  attrs.kernel = node.attr_ints("kernel_shape");
  attrs.strides = node.attr_ints("strides");
  attrs.dilations = node.attr_ints("dilations");
  attrs.pads = node.attr_ints("pads");
  attrs.auto_pad = node.attr_string("auto_pad", "NOTSET");
  attrs.ceil_mode = node.attr_int("ceil_mode", 0) != 0;
  if (attrs.auto_pad != "NOTSET" && attrs.auto_pad != "SAME_UPPER" &&
      attrs.auto_pad != "SAME_LOWER" && attrs.auto_pad != "VALID")
    throw Error(Code::model, fmt::format("auto_pad '{}' is not defined", attrs.auto_pad));
  return attrs;
}

Window place_window(const WindowAttrs& attrs, std::span<const std::int64_t> input,
                    std::span<const std::int64_t> kernel) {
  const std::size_t rank = input.size();
  Window w;
  w.input.assign(input.begin(), input.end());
  w.kernel = window_list(Shape(kernel.begin(), kernel.end()), rank, 1, 1, "kernel_shape");
  w.strides = window_list(attrs.strides, rank, 1, 1, "strides");
  w.dilations = window_list(attrs.dilations, rank, 1, 1, "dilations");
  const Shape pads = attrs.auto_pad == "NOTSET"
                         ? window_list(attrs.pads, 2 * rank, 0, -limit, "pads")
                         : Shape(2 * rank, 0);
  w.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
  w.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
  w.output.resize(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (attrs.auto_pad.starts_with("SAME")) {
      place_same(w, axis, attrs.auto_pad == "SAME_UPPER");
    } else {
      place_padded(w, axis, attrs.ceil_mode);
    }
  }
  return w;
}

bool next_position(std::span<std::int64_t> position, std::span<const std::int64_t> lengths) {
  for (std::size_t axis = position.size(); axis-- > 0;) {
    if (++position[axis] < lengths[axis]) return true;
    position[axis] = 0;
  }
  return false;
}

}  // namespace intaglio
