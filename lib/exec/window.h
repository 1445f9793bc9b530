// The sliding window of convolutions and pools: kernel, strides, dilations and padding over any
// number of spatial axes, with ONNX's auto_pad and ceil_mode (Conv, MaxPool and AveragePool of
// onnx/Operators.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lib/graph/graph.h"
#include "lib/tensor/shape.h"

namespace intaglio {

// What the node says; empty lists stand for their defaults.
struct WindowAttrs {
  Shape kernel = {}, strides = {}, dilations = {}, pads = {};
  std::string auto_pad = "NOTSET";
  bool ceil_mode = false;
};
WindowAttrs read_window(const Node& node);

// A window on one input: all lists have one entry per spatial axis.
struct Window {
  Shape input, kernel, strides, dilations;
  Shape begin, end;  // padding before and after; may be negative
  Shape output;      // number of window positions

  std::size_t rank() const { return input.size(); }
  // The extent of the kernel along an axis, holes included.
  std::int64_t extent(std::size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
};

// A list of the node, one entry per axis: `given`, or `count` times the fallback when it is empty.
// Throws Code::model when the count differs or an entry is below `least` or absurdly large.
Shape window_list(const Shape& given, std::size_t count, std::int64_t fallback, std::int64_t least,
                  std::string_view what);

// Throws Code::model when the lists do not fit the number of axes, hold values that make no sense,
// or when the window is larger than the padded input.
Window place_window(const WindowAttrs& attrs, std::span<const std::int64_t> input,
                    std::span<const std::int64_t> kernel);

// Advances a row-major counter over `lengths`; false after the last position.
bool next_position(std::span<std::int64_t> position, std::span<const std::int64_t> lengths);

}  // namespace intaglio
